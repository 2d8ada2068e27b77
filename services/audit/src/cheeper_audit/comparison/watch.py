"""The audit under load: random samples, and only what stays different when the views have caught up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec

from cheeper_audit.checkpoints import Checkpoints
from cheeper_audit.comparison.in_service import InService
from cheeper_audit.comparison.quiescence import Comparison
from cheeper_audit.difference import Difference
from cheeper_audit.lag.meter import Lag, LagMeter
from cheeper_audit.stores.write_model import Span
from cheeper_audit.views.table import SWEEPS, Sweep
from cheeper_audit.views.view import Stores

SAMPLE: Final = 20
_PAUSE_SECONDS: Final = 0.1


class Sampled(msgspec.Struct, frozen=True):
    """The result of a sample: the number of ids, the differences, and the number of undecided keys and documents."""

    ids: int
    found: Sequence[Difference] = ()
    undecided: int = 0


class Watch:
    """Draws samples until `go_on` returns False, and reports the lag and the waiting fan-out tasks meanwhile.

    A difference that several samples find is reported once.
    """

    def __init__(
        self,
        stores: Stores,
        *,
        draw: random.Random,
        report: Callable[[list[Lag], int], object],
        go_on: Callable[[], bool],
    ) -> None:
        self._stores = stores
        self._draw = draw
        self._report = report
        self._go_on = go_on
        self._in_service = InService(stores, go_on=go_on, observe=self._observe)
        self._meter = LagMeter()
        self._reported: set[Difference] = set()

    def run(self) -> Iterator[Sampled]:
        """Yield samples of each sweep in turn. Raise StoreUnavailableError."""
        while self._go_on():
            for sweep in SWEEPS:
                self._in_service.read_checkpoints()
                yield self._sample(sweep)
            time.sleep(_PAUSE_SECONDS)

    def _sample(self, sweep: Sweep) -> Sampled:
        self._stores.write_model.refresh()
        span = self._span(sweep)
        outcome = self._in_service.audit(Comparison(lambda: self._compare(sweep, span), lambda _: ()))
        new = [each for each in outcome.found if each not in self._reported]
        self._reported.update(new)
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
        now = self._stores.write_model.current(sweep.table, span)
        return [each for view in sweep.of(self._stores.audited) for each in view.differences(self._stores, now)]

    def _observe(self, where: Checkpoints) -> None:
        self._report(self._meter.measure(time.monotonic(), where), sum(state.tasks for state in where.stores.values()))
