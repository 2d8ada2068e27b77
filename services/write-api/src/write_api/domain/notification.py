from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

from write_api.domain import values
from write_api.domain.values import Identifier

Kind = Literal["welcome", "new_follower", "answer"]

NOTIFICATION_RULES: Final[dict[str, values.Rule]] = {
    "notification_id": values.identifier,
    "author_id": values.identifier,
    "follower_id": values.identifier,
    "answered_by": values.identifier,
    "cheep_id": values.identifier,
}
"""The rule of each field that a notification may be given."""


@dataclass(slots=True, kw_only=True)
class Notification:
    """What an author was told: `from_author_id` is whose doing it is, `cheep_id` the answer. It never changes.
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
        """The notification that the fields of a command make. Raises Invalid."""
        fields = values.checked(NOTIFICATION_RULES, given)
        return cls(
            notification_id=fields["notification_id"],
            author_id=fields["author_id"],
            kind=kind,
            notified_at=now,
            from_author_id=fields.get("follower_id") or fields.get("answered_by"),
            cheep_id=fields.get("cheep_id"),
        )
