"""The metrics of the process, each declared once.

A request changes a few plain numbers, on the one thread of the event loop. The rest is computed for each scrape.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from cheeper_contracts.views.lag import OBJECTIVES, Lag
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.concurrency.metrics import declare
from cheeper_runtime.metrics import event_loop_delay
from cheeper_runtime.metrics.observations import Observations
from cheeper_runtime.metrics.page import Declaration, Families, new_registry, page
from cheeper_runtime.rate_limits import metrics as rate_limit_metrics
from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.readiness import metrics as readiness_metrics

BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds. A look-up takes a millisecond or two, `after` up to ten seconds."""
NO_QUERY: Final = "none"
"""The label of requests without a query, those of unknown paths."""

WaitOutcome = Literal["settled", "stale", "disconnected", "store_unavailable", "refused"]

_PARTITION_LABELS: Final = ("store", "generation", "partition")

REQUESTS: Final = Declaration("cheeper_read_api_requests_total", "requests, by query and status", ("query", "status"))
REQUEST_SECONDS: Final = Declaration(
    "cheeper_read_api_request_seconds",
    "duration of requests; those with `after` may include its wait",
    ("query", "after"),
    histogram=True,
)
WAITING: Final = Declaration("cheeper_read_api_after_waiting", "requests that wait for the effects of `after`")
WAITS: Final = Declaration(
    "cheeper_read_api_after_waits_total",
    "ended waits of `after`: settled (the effects are in), stale (not in time), disconnected (the client), "
    "store_unavailable, refused (overloaded, the wait itself or the look-up after it)",
    ("outcome",),
)
STREAMS_ENDED: Final = Declaration(
    "cheeper_read_api_streams_ended_total",
    "ended streams: disconnected (the client), too_slow (the client), drained (the process ends), expired (its time, "
    "or its token), store_unavailable",
    ("reason",),
)
STREAMS_REFUSED: Final = Declaration(
    "cheeper_read_api_streams_refused_total", "streams that were refused because the author has as many as one may"
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
READY: Final = readiness_metrics.declare("cheeper_read_api")
LOOP_DELAY: Final = event_loop_delay.declare("cheeper_read_api")
LIMITS: Final = declare("cheeper_read_api")
RATE_LIMITS: Final = rate_limit_metrics.declare("cheeper_read_api")

DECLARED: Final = (
    READY,
    LOOP_DELAY,
    REQUESTS,
    REQUEST_SECONDS,
    *LIMITS.all(),
    *RATE_LIMITS.all(),
    WAITING,
    WAITS,
    STREAMS_ENDED,
    STREAMS_REFUSED,
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

    def __init__(
        self,
        limits: Iterable[ConcurrencyLimit] = (),
        limiters: Iterable[RateLimiter] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = tuple(limits)
        self._limiters = tuple(limiters)
        self.waiting = 0
        self.waits: Counter[WaitOutcome] = Counter()
        self.streams_ended: Counter[str] = Counter()
        self.streams_refused = 0
        self.store_unavailable: Counter[str] = Counter()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._durations: dict[tuple[str, bool], Observations] = {}
        self._progress: Mapping[str, Progress] = {}
        self.needs: readiness_metrics.Met = dict
        self.loop_delay = event_loop_delay.EventLoopDelay(LOOP_DELAY)
        self._clock = clock
        self._unreported_since: dict[tuple[str, int], float] = {}  # by store and generation
        self._registry = new_registry(self)

    def record_request(self, query: str, status: int, seconds: float, *, after: bool = False) -> None:
        """Count a request, with `after` or without. `query` is one of the code's names and never the client's text."""
        self._requests[query, status] += 1
        key = query, after
        durations = self._durations.get(key)
        if durations is None:
            durations = self._durations[key] = Observations(BUCKETS)
        durations.observe(seconds)

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
        for (query, after), durations in self._durations.items():
            durations.add_to(families, REQUEST_SECONDS, query, str(after).lower())
        readiness_metrics.add_needs(families, READY, self.needs)
        self.loop_delay.add_to(families)
        LIMITS.add(families, self._limits)
        RATE_LIMITS.add(families, self._limiters)
        families.add(WAITING, self.waiting)
        families.add(STREAMS_REFUSED, self.streams_refused)
        self._add_counts(families, WAITS, self.waits)
        self._add_counts(families, STREAMS_ENDED, self.streams_ended)
        self._add_counts(families, STORE_UNAVAILABLE, self.store_unavailable)
        for store, objectives in OBJECTIVES.items():
            for view, objective in objectives.items():
                families.add(OBJECTIVE_SECONDS, objective, store, view)
        for store, progress in self._progress.items():
            self._add_progress(families, store, progress)
        return iter(families)

    @staticmethod
    def _add_counts(families: Families, metric: Declaration, counts: Mapping[Any, int]) -> None:
        for label, number in counts.items():
            families.add(metric, number, label)

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
