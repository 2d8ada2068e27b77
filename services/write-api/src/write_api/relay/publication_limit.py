"""The limit of step mode, in which the relay ends after a number of messages."""

from __future__ import annotations

from itertools import accumulate
from typing import Final

from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from write_api.relay.numbering import Row

_OUTCOMES: Final = (CommandHandled.TYPE, CommandRejected.TYPE)


class PublicationLimit:
    """A limit of domain messages, which is true until it is reached. The outcome of a command does not count."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.sent = 0

    def __bool__(self) -> bool:
        return self._limit is None or self.sent < self._limit

    @property
    def unlimited(self) -> bool:
        """There is no limit."""
        return self._limit is None

    def allowed(self, rows: list[Row]) -> list[Row]:
        """Return the rows up to the last domain message that may still be sent."""
        if self._limit is None:
            return rows
        counts = accumulate(map(_is_domain, rows), initial=self.sent)
        return [row for row, before in zip(rows, counts, strict=False) if before < self._limit]

    def count(self, rows: list[Row]) -> None:
        """Count rows that were sent."""
        self.sent += sum(map(_is_domain, rows))


def _is_domain(row: Row) -> bool:
    return row.envelope.type not in _OUTCOMES
