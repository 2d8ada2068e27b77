from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from write_api.domain import values
from write_api.domain.errors import CannotFollowSelf
from write_api.domain.values import Identifier


@dataclass(slots=True, kw_only=True)
class Follow:
    """A follow of one author by another. The pair is its identity; its `follow_id` is a name that no other pair may use
    while it lasts. Times are in microseconds since the epoch, UTC.
    """

    follow_id: Identifier
    from_author_id: Identifier
    to_author_id: Identifier
    followed_at: int
    ended_at: int | None = None

    @classmethod
    def begin(cls, given: Mapping[str, str | None], now: int) -> Self:
        """Make the follow of these fields. Raise Invalid or CannotFollowSelf."""
        follow = cls(**values.checked(given, now), followed_at=now)
        refuse_self(follow.from_author_id, follow.to_author_id)
        return follow

    def end(self, now: int) -> None:
        """End the follow."""
        self.ended_at = now


def refuse_self(from_author_id: str, to_author_id: str) -> None:
    """Raise CannotFollowSelf if both are the same author."""
    if from_author_id == to_author_id:
        raise CannotFollowSelf
