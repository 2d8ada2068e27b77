from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from write_api.domain import values
from write_api.domain.errors import CannotFollowSelf
from write_api.domain.values import Identifier

FOLLOW_RULES: Final[dict[str, values.Rule]] = {
    "follow_id": values.identifier,
    "from_author_id": values.identifier,
    "to_author_id": values.identifier,
}
"""The rule of each field of a follow, and of an unfollow, which has no id."""


@dataclass(slots=True, kw_only=True)
class Follow:
    """That one author follows another now. The pair is its identity; its `follow_id` is a name that no other pair may
    use while it lasts. Times are in microseconds since the epoch, UTC.
    """

    follow_id: Identifier
    from_author_id: Identifier
    to_author_id: Identifier
    followed_at: int
    ended_at: int | None = None

    @classmethod
    def begin(cls, given: Mapping[str, str | None], now: int) -> Self:
        """The follow that these fields make. Raises Invalid or CannotFollowSelf."""
        follow = cls(**values.checked(FOLLOW_RULES, given), followed_at=now)
        refuse_self(follow.from_author_id, follow.to_author_id)
        return follow

    def end(self, now: int) -> None:
        """Follow no longer."""
        self.ended_at = now


def refuse_self(from_author_id: str, to_author_id: str) -> None:
    """Raise CannotFollowSelf where the two are one."""
    if from_author_id == to_author_id:
        raise CannotFollowSelf
