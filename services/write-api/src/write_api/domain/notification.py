from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from write_api.domain import values
from write_api.domain.values import Identifier

Kind = Literal["welcome", "new_follower", "answer"]


@dataclass(slots=True, kw_only=True)
class Notification:
    """A notification of an author. `from_author_id` caused it, `cheep_id` is the answer. It never changes.
    `notified_at` is in microseconds since the epoch, UTC.
    """

    notification_id: Identifier
    author_id: Identifier
    kind: Kind
    notified_at: int
    from_author_id: Identifier | None = None
    cheep_id: Identifier | None = None

    @classmethod
    def of(cls, kind: Kind, given: Mapping[str, str | None], now: int) -> Self:
        """Make the notification of these fields of a command. Raise Invalid."""
        fields = values.checked(given, now)
        return cls(
            notification_id=fields["notification_id"],
            author_id=fields["author_id"],
            kind=kind,
            notified_at=now,
            from_author_id=fields.get("follower_id") or fields.get("answered_by"),
            cheep_id=fields.get("cheep_id"),
        )
