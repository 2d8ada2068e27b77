"""Comparing while the system is in use: only what stays different once the views have caught up is a difference."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from cheeper_audit import standing
from cheeper_audit.difference import Difference
from cheeper_audit.rest import Look, Outcome
from cheeper_audit.standing import Standing
from cheeper_audit.views.view import Stores
from cheeper_audit.write_model import Place

_ROUNDS: Final = 8
_AGAIN: Final = 2
"""A difference must be met this many more times: a count that goes up and down may be one behind at two looks."""
_PAUSE_SECONDS: Final = 0.1


class InService:
    """Compares until it is told to stop. `observe` gets each reading of how far everything is."""

    def __init__(
        self,
        stores: Stores,
        *,
        go_on: Callable[[], bool] = lambda: True,
        observe: Callable[[Standing], object] = lambda _: None,
    ) -> None:
        self._stores = stores
        self._go_on = go_on
        self._observe = observe

    def audit(self, look: Look) -> Outcome:
        """Return what differs in the same way at three looks, between which the views catch up. Repair nothing.

        Raise StoreAwayError.
        """
        suspects, certain = Suspects(self._compare(look)), list[Difference]()
        for _ in range(_ROUNDS):
            if not suspects or not self._caught_up(self._stores.write_model.last_place()):
                break
            certain += suspects.met_again(self._compare(look))
        return Outcome(certain, frozenset(each.place for each in certain), undecided=len(suspects))

    def read_standing(self) -> Standing:
        """Return how far everything is now, after it was observed."""
        self._stores.write_model.refresh()
        where = standing.read(self._stores)
        self._observe(where)
        return where

    def _compare(self, look: Look) -> Sequence[Difference]:
        while True:
            self._stores.write_model.refresh()
            self._stores.moved()
            found = look.compare()
            if not self._stores.moved():  # else the generation may have been removed during the look
                return found

    def _caught_up(self, place: Place) -> bool:
        """Wait until the stores have applied all up to a place of the outbox. Return False if told to stop first."""
        targets: dict[int, int] | None = None
        while self._go_on():
            where = self.read_standing()
            if targets is None and self._stores.write_model.is_sent(place):
                targets = where.relayed.sequences
            if targets is not None and self._has_applied(where, targets):
                return True
            time.sleep(_PAUSE_SECONDS)
        return False

    def _has_applied(self, where: Standing, targets: dict[int, int]) -> bool:
        behind = any(
            state.sequences[p] < sequence for state in where.stores.values() for p, sequence in targets.items()
        )
        if behind or "redis" not in where.stores:
            return not behind
        oldest = self._stores.redis.oldest_tasks()
        return all(oldest[partition] > targets[partition] for partition in oldest)


class Suspects:
    """What differed at the first look, until it is right or has been wrong in the same way at each of the next two."""

    def __init__(self, found: Sequence[Difference]) -> None:
        self._left = {each.place: (each, 0) for each in found}

    def __len__(self) -> int:
        return len(self._left)

    def met_again(self, found: Sequence[Difference]) -> list[Difference]:
        """Return what another look makes certain. What is new in that look is no suspect."""
        left, certain = {}, []
        for each in found:
            if each.place in self._left:
                before, times = self._left[each.place]
                still = persisting(before, each)
                if still is not None and times + 1 >= _AGAIN:
                    certain.append(still)
                else:
                    left[each.place] = (each, 0) if still is None else (still, times + 1)
        self._left = left
        return certain


def persisting(first: Difference, later: Difference) -> Difference | None:
    """Return what of a difference is still wrong in the same way, or None if nothing is: then it was the lag."""
    same = set(first.faults)
    faults = tuple(fault for fault in later.faults if fault in same)
    return msgspec.structs.replace(later, faults=faults) if faults else None
