from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.messages import Event


class AuthorUnfollowedV1(Event, frozen=True, kw_only=True):
    """AuthorUnfollowed until November 2026, without the time when the follow began."""

    TYPE: ClassVar[str] = "cheeper.author-unfollowed.v1"
    KEY: ClassVar[str] = "to_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str
    unfollowed_at: int


def as_author_unfollowed(old: AuthorUnfollowedV1) -> AuthorUnfollowed:
    """Return the event in its current version, without the time."""
    return AuthorUnfollowed(
        follow_id=old.follow_id,
        from_author_id=old.from_author_id,
        to_author_id=old.to_author_id,
        followed_at=None,
        unfollowed_at=old.unfollowed_at,
    )
