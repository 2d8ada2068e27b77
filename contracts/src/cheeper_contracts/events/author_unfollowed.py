from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class AuthorUnfollowed(Event, frozen=True, kw_only=True):
    """One author follows another no longer. Its key is the followed author; the follow's id is free again.

    `followed_at` is when the follow began, so that a consumer knows how long it lasted without remembering follows. It
    is always written; it is None only in version 1, which did not have it.
    """

    TYPE: ClassVar[str] = "cheeper.author-unfollowed.v2"
    KEY: ClassVar[str] = "to_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str
    followed_at: int | None
    unfollowed_at: int
