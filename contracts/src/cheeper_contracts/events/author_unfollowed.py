from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class AuthorUnfollowed(Event, frozen=True, kw_only=True):
    """One author follows another no longer. Its key is the followed author; the follow's id is free again.

    `followed_at` is when the follow began, so that nobody has to remember follows to tell how long one lasted. It is
    always written, and none only in what version 1 told, which did not say it.
    """

    TYPE: ClassVar[str] = "cheeper.author-unfollowed.v2"
    KEY: ClassVar[str] = "to_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str
    followed_at: int | None
    unfollowed_at: int
