"""A histogram of plain numbers, for what is observed on a hot path."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from prometheus_client.samples import Exemplar

from cheeper_runtime.metrics.page import Declaration, Families


class Observations:
    """Counts values by the upper `bounds` of their buckets, and their `sum`. One thread observes; any may read.

    A bucket's exemplar is its latest value with a recorded trace.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._exemplars: list[Exemplar | None] = [None] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float, trace_id: str | None = None) -> None:
        """Count a value. It belongs to the first bucket whose bound is not less."""
        bucket = bisect_left(self._bounds, value)
        self._counts[bucket] += 1
        self.sum += value
        if trace_id is not None:
            self._exemplars[bucket] = Exemplar({"trace_id": trace_id}, value, time.time())

    @property
    def count(self) -> int:
        """The number of values."""
        return sum(self._counts)

    def add_to(self, families: Families, metric: Declaration, *labels: str) -> None:
        """Add what was observed so far to a page, as a sample of a histogram."""
        names = (*map(str, self._bounds), "+Inf")
        buckets = list(zip(names, map(float, accumulate(self._counts)), self._exemplars, strict=True))
        families.add_histogram(metric, buckets, self.sum, *labels)
