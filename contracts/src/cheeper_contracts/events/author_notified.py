from __future__ import annotations

from typing import ClassVar, Literal

from cheeper_contracts.messages import Event


class AuthorNotified(Event, frozen=True, kw_only=True):
    """An author was notified. Its key is the notified author.

    `from_author_id` is the author who caused it (the follower, the answer's author), `cheep_id` the answer.
    """

    TYPE: ClassVar[str] = "cheeper.author-notified.v1"
    KEY: ClassVar[str] = "author_id"

    notification_id: str
    author_id: str
    kind: Literal["welcome", "new_follower", "answer"]
    notified_at: int
    from_author_id: str | None = None
    cheep_id: str | None = None
