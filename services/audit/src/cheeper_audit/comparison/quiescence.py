"""Comparison at rest: nothing moves between the reads of both sides, nor between the comparison and a repair."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from cheeper_audit import checkpoints
from cheeper_audit.checkpoints import Checkpoints
from cheeper_audit.difference import Difference, MongoRepair, RedisRepair, Repair
from cheeper_audit.views.view import Stores

T = TypeVar("T")

_PAUSE_SECONDS: Final = 0.05
_REPAIR_ATTEMPTS: Final = 5
_REPAIRS_AT_ONCE: Final = 200


class NotQuiescentError(Exception):
    """The views do not come to rest at the state of the write model."""

    def __init__(self, where: Checkpoints) -> None:
        lags = list(where.lags())
        super().__init__("\n".join(["Not at rest:", *(f"  {lag}" for lag in lags or ["under load: it moves on"])]))


class Comparison(msgspec.Struct, frozen=True):
    """A comparison under the current snapshot, and the repairs of its differences."""

    compare: Callable[[], Sequence[Difference]]
    repairs: Callable[[Sequence[Difference]], Sequence[Repair]]


class Outcome(msgspec.Struct, frozen=True):
    """The differences, and the places that still differ after repairs.

    `undecided` is the number of keys and documents that were wrong in each comparison, but not in the same way.
    """

    found: Sequence[Difference]
    left: frozenset[tuple[str, str, str]]
    undecided: int = 0


class Quiescence:
    """Makes sure that both sides of a comparison belong to the same point of the log.

    The snapshot's rows have the effects of the messages up to the relay's sequences, and the views those up to their
    checkpoints' sequences. So both sides must be equal if these sequences are equal, and the checkpoints are the same
    before and after the comparison. Otherwise, or if another generation has become live meanwhile, it compares again
    under a newer snapshot, for `patience` seconds.
    """

    def __init__(self, stores: Stores, *, patience: float) -> None:
        self._stores = stores
        self._patience = patience

    def compare(self, compare: Callable[[], T]) -> tuple[T, Checkpoints]:
        """Return the result and the checkpoints that it belongs to. Raise NotQuiescentError, StoreUnavailableError."""
        deadline = time.monotonic() + self._patience
        while True:
            self._stores.write_model.refresh()
            before = checkpoints.read(self._stores)
            if before.at_rest:
                seen = compare()
                if checkpoints.states(self._stores) == before.stores:
                    return seen, before
            if time.monotonic() > deadline:
                raise NotQuiescentError(before)
            time.sleep(_PAUSE_SECONDS)

    def audit(self, comparison: Comparison, *, repair: bool) -> Outcome:
        """Compare, and with `repair` repair and compare again, several times if something came between.

        Raise NotQuiescentError, StoreUnavailableError.
        """
        found, where = self.compare(comparison.compare)
        left = found
        for _ in range(_REPAIR_ATTEMPTS if repair else 0):
            repairable = [each for each in left if not where.stores[each.store].parked]
            if not repairable:
                break
            self._repair(repairable, comparison, where)
            left, where = self.compare(comparison.compare)
        return Outcome(found, frozenset(each.place for each in left))

    def _repair(self, differences: Sequence[Difference], comparison: Comparison, where: Checkpoints) -> None:
        """Repair until something has moved."""
        sequences = where.relayed.sequences
        for at in range(0, len(differences), _REPAIRS_AT_ONCE):
            repairs = comparison.repairs(differences[at : at + _REPAIRS_AT_ONCE])
            in_redis = [each for each in repairs if isinstance(each, RedisRepair)]
            in_mongo = [each for each in repairs if isinstance(each, MongoRepair)]
            if self._stores.redis.repair(in_redis, sequences) < len(in_redis):
                return
            if self._stores.mongo.repair(in_mongo, sequences) < len(in_mongo):
                return
