from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class AuthorFollowed(Event, frozen=True, kw_only=True):
    """One author follows another from now on. Its key is the followed author."""

    TYPE: ClassVar[str] = "cheeper.author-followed.v1"
    KEY: ClassVar[str] = "to_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str
    followed_at: int
