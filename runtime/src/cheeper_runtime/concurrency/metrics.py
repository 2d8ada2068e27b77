"""The metrics of concurrency limits, which are the same for each process but for the beginning of their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

import msgspec
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from cheeper_runtime.concurrency.limit import BUCKETS, ConcurrencyLimit
from cheeper_runtime.metrics.page import Declaration, Families

_LABELS: Final = ("limit",)
_BOUNDS: Final = (*map(str, BUCKETS), "+Inf")


class LimitDeclarations(msgspec.Struct, frozen=True):
    """The metrics of the limits of a process."""

    places: Declaration
    in_flight: Declaration
    waiting: Declaration
    refused: Declaration
    queue_seconds: Declaration

    def all(self) -> tuple[Declaration, ...]:
        """Return all of them."""
        return self.places, self.in_flight, self.waiting, self.refused, self.queue_seconds

    def add(self, families: Families, limits: Iterable[ConcurrencyLimit]) -> None:
        """Add the current samples of these limits."""
        for limit in limits:
            families.add(self.places, limit.at_once, limit.name)
            families.add(self.in_flight, limit.in_flight, limit.name)
            families.add(self.waiting, limit.waiting, limit.name)
            families.add(self.refused, limit.refused, limit.name)
            buckets = list(zip(_BOUNDS, map(float, accumulate(limit.queued)), strict=True))
            families.add_histogram(self.queue_seconds, buckets, limit.queued_seconds, limit.name)


def declare(prefix: str) -> LimitDeclarations:
    """Return the metrics whose names begin with this prefix."""
    return LimitDeclarations(
        places=Declaration(f"{prefix}_limit_places", "work that the limit lets be in flight at once", _LABELS),
        in_flight=Declaration(f"{prefix}_limit_in_flight", "work in flight under the limit", _LABELS),
        waiting=Declaration(f"{prefix}_limit_waiting", "work that waits for its place", _LABELS),
        refused=Declaration(
            f"{prefix}_limit_refused_total", "work that was refused (`overloaded`) before it began", _LABELS
        ),
        queue_seconds=Declaration(
            f"{prefix}_limit_queue_seconds",
            "time in the queue of the work that waited, accepted or not",
            _LABELS,
            histogram=True,
        ),
    )


class LimitsCollector(Collector):
    """Exposes limits in a registry."""

    def __init__(self, declared: LimitDeclarations, limits: Iterable[ConcurrencyLimit]) -> None:
        self._declared = declared
        self._limits = tuple(limits)

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so that registering the collector does not collect."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Return the current samples."""
        families = Families(self._declared.all())
        self._declared.add(families, self._limits)
        return iter(families)
