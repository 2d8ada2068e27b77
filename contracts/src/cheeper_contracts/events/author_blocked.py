from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class AuthorBlocked(Event, frozen=True, kw_only=True):
    """An author, who is the key, blocked another one.

    `follow_id` is that of the blocked author's follow of this one, which the block ended, or None if there was none.
    """

    TYPE: ClassVar[str] = "cheeper.author-blocked.v1"
    KEY: ClassVar[str] = "author_id"

    author_id: str
    blocked_id: str
    blocked_at: int
    follow_id: str | None
