"""The metrics of the process, each declared once.

A request changes a few plain numbers, on the one thread of the event loop. The rest is computed for each scrape.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final, Literal

import msgspec
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from cheeper_contracts.views.lag import OBJECTIVES, Lag
from cheeper_runtime.concurrency import ConcurrencyLimit
from cheeper_runtime.limit_metrics import declare
from cheeper_runtime.metrics import Declaration, Families, new_registry, page

BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds. A look-up takes a millisecond or two, `after` up to ten seconds."""
NO_QUERY: Final = "none"
"""The label of requests without a query, those of unknown paths."""

WaitOutcome = Literal["settled", "stale", "disconnected", "store_unavailable", "refused"]

_PARTITION_LABELS: Final = ("store", "generation", "partition")

REQUESTS: Final = Declaration("cheeper_read_api_requests_total", "requests, by query and status", ("query", "status"))
REQUEST_SECONDS: Final = Declaration(
    "cheeper_read_api_request_seconds",
    "duration of requests, waits of `after` included",
    ("query",),
    histogram=True,
)
WAITING: Final = Declaration("cheeper_read_api_after_waiting", "requests that wait for the effects of `after`")
WAITS: Final = Declaration(
    "cheeper_read_api_after_waits_total",
    "ended waits of `after`: settled (the effects are in), stale (not in time), disconnected (the client), "
    "store_unavailable, refused (overloaded, the wait itself or the look-up after it)",
    ("outcome",),
)
STORE_UNAVAILABLE: Final = Declaration(
    "cheeper_read_api_store_unavailable_total", "queries that failed because a store was unavailable", ("store",)
)
APPLIED_SEQUENCE: Final = Declaration(
    "cheeper_read_api_applied_sequence",
    "last sequence that the live views hold, absent while the store is unavailable",
    _PARTITION_LABELS,
)
LAG_MESSAGES: Final = Declaration(
    "cheeper_read_api_lag_messages",
    "messages of the log that the live views do not hold, as reported by the projector, absent without a recent report",
    _PARTITION_LABELS,
)
LAG_SECONDS: Final = Declaration(
    "cheeper_read_api_lag_seconds",
    "age of the first of these messages, plus the age of the report if it is not recent",
    _PARTITION_LABELS,
)
OBJECTIVE_SECONDS: Final = Declaration(
    "cheeper_read_api_view_objective_seconds", "lag objective of a view", ("store", "view")
)
OBJECTIVE_MISSED: Final = Declaration(
    "cheeper_read_api_view_objective_missed",
    "1 while the store's lag is longer than the view's objective, absent while the store is unavailable",
    ("store", "generation", "view"),
)
LIMITS: Final = declare("cheeper_read_api")

DECLARED: Final = (
    REQUESTS,
    REQUEST_SECONDS,
    *LIMITS.all(),
    WAITING,
    WAITS,
    STORE_UNAVAILABLE,
    APPLIED_SEQUENCE,
    LAG_MESSAGES,
    LAG_SECONDS,
    OBJECTIVE_SECONDS,
    OBJECTIVE_MISSED,
)


class Progress(msgspec.Struct, frozen=True):
    """The progress of a store: its live generation, and by partition the applied sequence and the reported lag."""

    generation: int
    sequences: Mapping[int, int]
    lags: Mapping[int, Lag]


class Metrics(Collector):
    """The metrics of one process, of its `limits` too, in a registry of its own."""

    def __init__(self, limits: Iterable[ConcurrencyLimit] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = tuple(limits)
        self.waiting = 0
        self.waits: Counter[WaitOutcome] = Counter()
        self.store_unavailable: Counter[str] = Counter()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._durations: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()
        self._progress: Mapping[str, Progress] = {}
        self._clock = clock
        self._unreported_since: dict[tuple[str, int], float] = {}  # by store and generation
        self._registry = new_registry(self)

    def record_request(self, query: str, status: int, seconds: float) -> None:
        """Count a request. `query` is one of the code's names and never the client's text."""
        self._requests[query, status] += 1
        durations = self._durations.get(query)
        if durations is None:
            durations = self._durations[query] = [0] * (len(BUCKETS) + 1)
        durations[bisect_left(BUCKETS, seconds)] += 1
        self._seconds[query] += seconds  # type: ignore[assignment]  # a Counter counts seconds as well

    def page(self, progress: Mapping[str, Progress]) -> bytes:
        """Return the page of all metrics, with the progress of the stores that are available."""
        self._progress = progress
        return page(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so that registering the collector does not collect."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Return the current samples."""
        families = Families(DECLARED)
        for (query, status), number in self._requests.items():
            families.add(REQUESTS, number, query, str(status))
        bounds = [*map(str, BUCKETS), "+Inf"]
        for query, durations in self._durations.items():
            buckets = list(zip(bounds, accumulate(durations), strict=True))
            families.add_histogram(REQUEST_SECONDS, buckets, self._seconds[query], query)
        LIMITS.add(families, self._limits)
        families.add(WAITING, self.waiting)
        for metric, counts in ((WAITS, self.waits), (STORE_UNAVAILABLE, self.store_unavailable)):
            for label, number in counts.items():
                families.add(metric, number, label)
        for store, objectives in OBJECTIVES.items():
            for view, objective in objectives.items():
                families.add(OBJECTIVE_SECONDS, objective, store, view)
        for store, progress in self._progress.items():
            self._add_progress(families, store, progress)
        return iter(families)

    def _add_progress(self, families: Families, store: str, progress: Progress) -> None:
        generation, unreported = str(progress.generation), self._unreported_lag(store, progress)
        worst = 0.0
        for partition, sequence in sorted(progress.sequences.items()):
            labels, lag = (store, generation, str(partition)), progress.lags.get(partition, unreported)
            families.add(APPLIED_SEQUENCE, sequence, *labels)
            families.add(LAG_SECONDS, lag.seconds, *labels)
            if lag.messages is not None:
                families.add(LAG_MESSAGES, lag.messages, *labels)
            worst = max(worst, lag.seconds)
        for view, objective in OBJECTIVES[store].items():
            families.add(OBJECTIVE_MISSED, worst > objective, store, generation, view)

    def _unreported_lag(self, store: str, progress: Progress) -> Lag:
        """Return the lag of a partition without a report: the time since the first scrape that found it so. The
        projector reports each second, so that is about its lag.
        """
        key, now = (store, progress.generation), self._clock()
        if progress.lags.keys() >= progress.sequences.keys():
            self._unreported_since.pop(key, None)
            return Lag(None, 0.0)
        return Lag(None, now - self._unreported_since.setdefault(key, now))
