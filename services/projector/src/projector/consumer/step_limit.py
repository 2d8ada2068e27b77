"""Step mode: stop after so many domain messages, or slices of fan-out tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from projector.stores.base import Item

T = TypeVar("T")


class StepLimit:
    """The steps that are left, without limit if the number is None."""

    def __init__(self, number: int | None) -> None:
        self.number = number
        self._left = number

    @property
    def reached(self) -> bool:
        """True once it is time to stop."""
        return self._left == 0

    def count(self, done: int) -> None:
        """Count steps that are done."""
        if self._left is not None:
            self._left = max(0, self._left - done)

    def rounds(self, polled: Mapping[int, T]) -> list[Mapping[int, T]]:
        """Return what was polled, by partition, in rounds: a limit counts one partition after the other."""
        return [polled] if self._left is None else [{number: messages} for number, messages in polled.items()]

    def allowed(self, items: Sequence[Item]) -> list[Item]:
        """Return the first of them, up to the last one that may still be done."""
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
    """Return True if the message reports a change. An outcome without a change is applied, but is not a step."""
    return not isinstance(item.message.event, CommandHandled | CommandRejected)
