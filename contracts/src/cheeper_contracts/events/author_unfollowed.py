from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class AuthorUnfollowed(Event, frozen=True, kw_only=True):
    """One author follows another no longer. Its key is the followed author; the follow's id is free again."""

    TYPE: ClassVar[str] = "cheeper.author-unfollowed.v1"
    KEY: ClassVar[str] = "to_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str
    unfollowed_at: int
