"""Looking at the views while nothing moves, and mending what is found before anything does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from cheeper_audit import standing
from cheeper_audit.difference import Difference, Mend, MongoMend, RedisMend
from cheeper_audit.standing import Standing
from cheeper_audit.views.view import Stores

T = TypeVar("T")

_PAUSE_SECONDS: Final = 0.05
_MENDING_ATTEMPTS: Final = 5
_MENDS_AT_ONCE: Final = 200


class NotAtRestError(Exception):
    """The views do not stand still at what the write model says."""

    def __init__(self, where: Standing) -> None:
        lags = list(where.lags())
        super().__init__("\n".join(["Not at rest:", *(f"  {lag}" for lag in lags or ["under load: it moves on"])]))


class Look(msgspec.Struct, frozen=True):
    """Something to compare, under whatever snapshot is current, and what mends differences of it."""

    compare: Callable[[], Sequence[Difference]]
    mends: Callable[[Sequence[Difference]], Sequence[Mend]]


class Outcome(msgspec.Struct, frozen=True):
    """What differed, and where something still does after mending. `undecided` counts the keys and documents that were
    wrong at each look, but not in the same way.
    """

    found: Sequence[Difference]
    left: frozenset[tuple[str, str, str]]
    undecided: int = 0


class Rest:
    """Makes sure that what is compared belongs together.

    The snapshot's rows are what the messages up to the relay's sequences tell of; the views, those up to their
    checkpoints' sequences. So where these are equal, and the checkpoints are after the look what they were before it,
    both sides must say the same. Where they are not, or another generation has become live meanwhile, it looks again
    under a newer snapshot, for `patience` seconds.
    """

    def __init__(self, stores: Stores, *, patience: float) -> None:
        self._stores = stores
        self._patience = patience

    def look(self, compare: Callable[[], T]) -> tuple[T, Standing]:
        """What was seen, and where everything stood. Raises NotAtRestError, StoreAwayError."""
        deadline = time.monotonic() + self._patience
        while True:
            self._stores.write_model.refresh()
            before = standing.read(self._stores)
            if before.at_rest:
                seen = compare()
                if standing.states(self._stores) == before.stores:
                    return seen, before
            if time.monotonic() > deadline:
                raise NotAtRestError(before)
            time.sleep(_PAUSE_SECONDS)

    def audit(self, look: Look, *, repair: bool) -> Outcome:
        """Compare, and with `repair` mend and compare again, some times where something came between.

        Raises NotAtRestError, StoreAwayError.
        """
        found, where = self.look(look.compare)
        left = found
        for _ in range(_MENDING_ATTEMPTS if repair else 0):
            mendable = [each for each in left if not where.stores[each.store].parked]
            if not mendable:
                break
            self._mend(mendable, look, where)
            left, where = self.look(look.compare)
        return Outcome(found, frozenset(each.place for each in left))

    def _mend(self, differences: Sequence[Difference], look: Look, where: Standing) -> None:
        """Mend until something has moved."""
        sequences = where.relayed.sequences
        for at in range(0, len(differences), _MENDS_AT_ONCE):
            mends = look.mends(differences[at : at + _MENDS_AT_ONCE])
            in_redis = [each for each in mends if isinstance(each, RedisMend)]
            in_mongo = [each for each in mends if isinstance(each, MongoMend)]
            if self._stores.redis.mend(in_redis, sequences) < len(in_redis):
                return
            if self._stores.mongo.mend(in_mongo, sequences) < len(in_mongo):
                return
