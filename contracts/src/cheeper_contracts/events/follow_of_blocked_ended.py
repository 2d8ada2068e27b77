from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class FollowOfBlockedEnded(Event, frozen=True, kw_only=True):
    """A block ended the follow of an author, who is the key, by the one who blocks it. The follow's id is free."""

    TYPE: ClassVar[str] = "cheeper.follow-of-blocked-ended.v1"
    KEY: ClassVar[str] = "to_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str
    ended_at: int
