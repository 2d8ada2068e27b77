"""Step mode: stop after so many domain messages, or slices of fan-out tasks."""

from __future__ import annotations

from collections.abc import Sequence

from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from projector.stores.base import Item


class Limit:
    """How many there may still be; no limit without a number."""

    def __init__(self, number: int | None) -> None:
        self.number = number
        self._left = number

    @property
    def reached(self) -> bool:
        """Whether it is time to stop."""
        return self._left == 0

    def count(self, done: int) -> None:
        """So many are done."""
        if self._left is not None:
            self._left = max(0, self._left - done)

    def allowed(self, items: Sequence[Item]) -> list[Item]:
        """The first of them, up to the last one that may still be done."""
        if self._left is None:
            return list(items)
        left, found = self._left, list[Item]()
        for item in items:
            if not left:
                break
            left -= is_domain(item)
            found.append(item)
        return found


def is_domain(item: Item) -> bool:
    """Whether the message tells of a change: an outcome without one goes along, but is not counted as a step."""
    return not isinstance(item.message.event, CommandHandled | CommandRejected)
