"""Step mode: a relay that ends after some messages."""

from __future__ import annotations

from itertools import accumulate
from typing import Final

from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from write_api.relay.numbering import Row

_OUTCOMES: Final = (CommandHandled.TYPE, CommandRejected.TYPE)


class Limit:
    """How many domain messages may still be sent; true while there are any.

    The outcome of a command that changed nothing goes along, but is no step.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.sent = 0

    def __bool__(self) -> bool:
        return self._limit is None or self.sent < self._limit

    @property
    def endless(self) -> bool:
        """Whether there is no limit."""
        return self._limit is None

    def allowed(self, rows: list[Row]) -> list[Row]:
        """The rows up to the last domain message that may still be sent."""
        if self._limit is None:
            return rows
        steps = accumulate(map(_is_domain, rows), initial=self.sent)
        return [row for row, before in zip(rows, steps, strict=False) if before < self._limit]

    def count(self, rows: list[Row]) -> None:
        """These were sent."""
        self.sent += sum(map(_is_domain, rows))


def _is_domain(row: Row) -> bool:
    return row.envelope.type not in _OUTCOMES
