"""Comparison while the system is in use: a difference counts only if it stays after the views have caught up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from cheeper_audit import checkpoints
from cheeper_audit.checkpoints import Checkpoints
from cheeper_audit.comparison.quiescence import Comparison, NotQuiescentError, Outcome
from cheeper_audit.difference import Difference
from cheeper_audit.stores.write_model import Place
from cheeper_audit.views.view import Stores

_ROUNDS: Final = 8
_CONFIRMATIONS: Final = 2
"""A difference must be found this many more times: a count that goes up and down may be late by one twice."""
_PAUSE_SECONDS: Final = 0.1


class InService:
    """Compares until `go_on` returns False. `observe` gets the checkpoints each time they are read.

    The views may take `patience` seconds to catch up with the outbox.
    """

    def __init__(
        self,
        stores: Stores,
        *,
        patience: float = math.inf,
        go_on: Callable[[], bool] = lambda: True,
        observe: Callable[[Checkpoints], object] = lambda _: None,
    ) -> None:
        self._stores = stores
        self._patience = patience
        self._go_on = go_on
        self._observe = observe

    def audit(self, comparison: Comparison) -> Outcome:
        """Return what differs in the same way in three comparisons, between which the views catch up. Repair nothing.

        Raise StoreUnavailableError, and NotQuiescentError if the views do not catch up: then nothing is known of them.
        """
        suspects, certain = Suspects(self._compare(comparison)), list[Difference]()
        for _ in range(_ROUNDS):
            if not suspects or not self._caught_up(self._stores.write_model.last_place()):
                break
            certain += suspects.confirm(self._compare(comparison))
        return Outcome(certain, frozenset(each.place for each in certain), undecided=len(suspects))

    def read_checkpoints(self) -> Checkpoints:
        """Read the current checkpoints, and have them observed."""
        self._stores.write_model.refresh()
        where = checkpoints.read(self._stores)
        self._observe(where)
        return where

    def _compare(self, comparison: Comparison) -> Sequence[Difference]:
        while True:
            self._stores.write_model.refresh()
            self._stores.moved()
            found = comparison.compare()
            if not self._stores.moved():  # else the generation may have been removed meanwhile
                return found

    def _caught_up(self, place: Place) -> bool:
        """Wait until the stores have applied all up to a place of the outbox. Return False if `go_on` ends first."""
        targets: dict[int, int] | None = None
        deadline = time.monotonic() + self._patience
        while self._go_on():
            where = self.read_checkpoints()
            if targets is None and self._stores.write_model.is_sent(place):
                targets = where.relayed.sequences
            if targets is not None and self._has_applied(where, targets):
                return True
            if time.monotonic() > deadline:
                raise NotQuiescentError(where)
            time.sleep(_PAUSE_SECONDS)
        return False

    def _has_applied(self, where: Checkpoints, targets: dict[int, int]) -> bool:
        behind = any(
            state.sequences[p] < sequence for state in where.stores.values() for p, sequence in targets.items()
        )
        if behind or "redis" not in where.stores:
            return not behind
        oldest = self._stores.redis.oldest_tasks()
        return all(oldest[partition] > targets[partition] for partition in oldest)


class Suspects:
    """The differences of the first comparison, until they have disappeared or were the same in each of the next two."""

    def __init__(self, found: Sequence[Difference]) -> None:
        self._left = {each.place: (each, 0) for each in found}

    def __len__(self) -> int:
        return len(self._left)

    def confirm(self, found: Sequence[Difference]) -> list[Difference]:
        """Return the differences that another comparison makes certain. A new difference in it is no suspect."""
        left, certain = {}, []
        for each in found:
            if each.place in self._left:
                before, times = self._left[each.place]
                still = persisting(before, each)
                if still is not None and times + 1 >= _CONFIRMATIONS:
                    certain.append(still)
                else:
                    left[each.place] = (each, 0) if still is None else (still, times + 1)
        self._left = left
        return certain


def persisting(first: Difference, later: Difference) -> Difference | None:
    """Return the part of a difference that is still the same, or None if it was only the lag."""
    same = set(first.faults)
    faults = tuple(fault for fault in later.faults if fault in same)
    return msgspec.structs.replace(later, faults=faults) if faults else None
