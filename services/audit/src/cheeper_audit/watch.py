"""The audit under load: random samples, and only what stays different when the views have caught up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec

from cheeper_audit.difference import Difference
from cheeper_audit.in_service import InService
from cheeper_audit.lag import Lag, LagMeter
from cheeper_audit.rest import Look
from cheeper_audit.standing import Standing
from cheeper_audit.views.table import SWEEPS, Sweep
from cheeper_audit.views.view import Stores
from cheeper_audit.write_model import Span

SAMPLE: Final = 20
_PAUSE_SECONDS: Final = 0.1


class Sampled(msgspec.Struct, frozen=True):
    """What a sample gave: the number of its ids, the differences, and the number of keys and documents that could not
    be decided.
    """

    ids: int
    found: Sequence[Difference] = ()
    undecided: int = 0


class Watch:
    """Draws samples until it is told to stop, and reports the lag and the waiting turns of fan-out tasks meanwhile. A
    difference that another sample meets again is reported once.
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
        self._in_service = InService(stores, go_on=go_on, observe=self._observe)
        self._meter = LagMeter()
        self._told: set[Difference] = set()

    def run(self) -> Iterator[Sampled]:
        """Yield samples of each sweep in turn. Raise StoreAwayError."""
        while self._go_on():
            for sweep in SWEEPS:
                self._in_service.read_standing()
                yield self._sample(sweep)
            time.sleep(_PAUSE_SECONDS)

    def _sample(self, sweep: Sweep) -> Sampled:
        self._stores.write_model.refresh()
        span = self._span(sweep)
        outcome = self._in_service.audit(Look(lambda: self._compare(sweep, span), lambda _: ()))
        new = [each for each in outcome.found if each not in self._told]
        self._told.update(new)
        return Sampled(len(span.ids), new, outcome.undecided)

    def _span(self, sweep: Sweep) -> Span:
        """Return some ids behind a random one between the lowest and the highest."""
        bounds = self._stores.write_model.bounds(sweep.table)
        if bounds is None:
            return Span(None, None, ())
        low, high = (UUID(each).int for each in bounds)
        behind = self._draw.randint(low - 1, high - 1)
        return self._stores.write_model.span(sweep.table, None if behind < 0 else str(UUID(int=behind)), SAMPLE)

    def _compare(self, sweep: Sweep, span: Span) -> list[Difference]:
        now = self._stores.write_model.again(sweep.table, span)
        return [each for view in sweep.of(self._stores.audited) for each in view.differences(self._stores, now)]

    def _observe(self, where: Standing) -> None:
        self._tell(self._meter.tell(time.monotonic(), where), sum(state.tasks for state in where.stores.values()))
