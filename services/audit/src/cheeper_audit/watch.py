"""The audit under load: random samples, and only what stays different when the views have caught up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec

from cheeper_audit import standing
from cheeper_audit.difference import Difference
from cheeper_audit.lag import Lag, LagMeter
from cheeper_audit.standing import Standing
from cheeper_audit.views.table import SWEEPS, Sweep
from cheeper_audit.views.view import Stores
from cheeper_audit.write_model import Place, Span

SAMPLE: Final = 20
_ROUNDS: Final = 8
_AGAIN: Final = 2
"""So many more times a difference has to be met: a count that goes up and down may be behind by the same step twice."""
_PAUSE_SECONDS: Final = 0.1


class Sampled(msgspec.Struct, frozen=True):
    """What a sample gave: how many ids it was of, the differences, and of how many keys and documents nothing can be
    said, since each look found something else wrong with them.
    """

    ids: int
    found: Sequence[Difference] = ()
    undecided: int = 0


class Watch:
    """Draws samples until it is told to stop. On the way it tells the lag and how many turns of fan-out tasks wait; a
    difference that another sample meets again is told once.
    """

    def __init__(
        self,
        stores: Stores,
        *,
        draw: random.Random,
        tell: Callable[[list[Lag], int], object],
        go_on: Callable[[], bool],
    ) -> None:
        self._stores = stores
        self._draw = draw
        self._tell = tell
        self._go_on = go_on
        self._meter = LagMeter()
        self._told: set[Difference] = set()

    def run(self) -> Iterator[Sampled]:
        """Samples of each sweep in turn. Raises StoreAwayError."""
        while self._go_on():
            for sweep in SWEEPS:
                self._stand()
                yield self._sample(sweep)
            time.sleep(_PAUSE_SECONDS)

    def _sample(self, sweep: Sweep) -> Sampled:
        self._stores.write_model.refresh()
        span = self._span(sweep)
        suspects = Suspects(self._compare(sweep, span))
        for _ in range(_ROUNDS):
            if not suspects or not self._passed(self._stores.write_model.last_place()):
                break
            self._stores.write_model.refresh()
            span = self._stores.write_model.again(sweep.table, span)
            certain = suspects.met_again(self._compare(sweep, span))
            if certain:
                new = [each for each in certain if each not in self._told]
                self._told.update(new)
                return Sampled(len(span.ids), new, undecided=len(suspects) - len(certain))
        return Sampled(len(span.ids), undecided=len(suspects))

    def _span(self, sweep: Sweep) -> Span:
        """Some ids behind a random one between the lowest and the highest."""
        bounds = self._stores.write_model.bounds(sweep.table)
        if bounds is None:
            return Span(None, None, ())
        low, high = (UUID(each).int for each in bounds)
        behind = self._draw.randint(low - 1, high - 1)
        return self._stores.write_model.span(sweep.table, None if behind < 0 else str(UUID(int=behind)), SAMPLE)

    def _compare(self, sweep: Sweep, span: Span) -> list[Difference]:
        while True:
            self._stores.moved()
            views = sweep.of(self._stores.audited)
            found = [each for view in views for each in view.differences(self._stores, span)]
            if not self._stores.moved():  # else some of it may be of what was forgotten meanwhile
                return found

    def _passed(self, place: Place) -> bool:
        """Wait until both stores have applied all up to a place of the outbox; false where it is told to stop first."""
        targets: dict[int, int] | None = None
        while self._go_on():
            where = self._stand()
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

    def _stand(self) -> Standing:
        """Where everything stands now, which is told."""
        self._stores.write_model.refresh()
        where = standing.read(self._stores)
        self._tell(self._meter.tell(time.monotonic(), where), sum(state.tasks for state in where.stores.values()))
        return where


class Suspects:
    """What differed at a first look, until it is right or has been wrong in the same way at each of the next ones."""

    def __init__(self, found: Sequence[Difference]) -> None:
        self._left = {each.place: (each, 0) for each in found}

    def __len__(self) -> int:
        return len(self._left)

    def met_again(self, found: Sequence[Difference]) -> list[Difference]:
        """What of a next look, after the views have caught up, is certain. What is new in it is no suspect."""
        left = {}
        for each in found:
            if each.place in self._left:
                before, times = self._left[each.place]
                still = persisting(before, each)
                left[each.place] = (each, 0) if still is None else (still, times + 1)
        self._left = left
        return [each for each, times in left.values() if times >= _AGAIN]


def persisting(first: Difference, later: Difference) -> Difference | None:
    """What of a difference is still wrong in the same way, none where nothing is: then it was the lag."""
    same = set(first.faults)
    faults = tuple(fault for fault in later.faults if fault in same)
    return msgspec.structs.replace(later, faults=faults) if faults else None
