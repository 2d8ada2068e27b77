"""What a read-api process tells at GET /metrics: every metric, declared once.

A request moves a few plain numbers, on the one thread of the event loop; all else is done when somebody asks.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Final, Literal

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from cheeper_contracts.lag import OBJECTIVES, Lag

BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds. A look-up takes a millisecond or two, `after` up to ten seconds."""

NO_QUERY: Final = "none"
"""Stands for requests that ask no query: of unknown paths and methods."""

Outcome = Literal["settled", "stale", "gone", "away"]
"""How a wait of `after` ended: its effects are in, or were not in time; or the client, or the store, went away."""


class Declared(msgspec.Struct, frozen=True):
    """A metric: a counter where its name ends in `_total`, a histogram where `buckets`, a gauge otherwise."""

    name: str
    what: str
    labels: tuple[str, ...] = ()
    buckets: bool = False


REQUESTS: Final = Declared(
    "cheeper_read_api_requests_total", "requests answered, by query and status", ("query", "status")
)
SECONDS: Final = Declared(
    "cheeper_read_api_request_seconds", "how long answers took, waits of `after` included", ("query",), buckets=True
)
WAITING: Final = Declared("cheeper_read_api_after_waiting", "requests that wait for what `after` names, now")
WAITS: Final = Declared(
    "cheeper_read_api_after_waits_total",
    "waits that ended: settled (the effects are in), stale (not in time), gone (the client), away (the store)",
    ("outcome",),
)
AWAY: Final = Declared("cheeper_read_api_store_away_total", "queries that a store did not answer in time", ("store",))
SEQUENCE: Final = Declared(
    "cheeper_read_api_applied_sequence",
    "the last sequence that the live views hold, absent while the store is away",
    ("store", "generation", "partition"),
)
MESSAGES_BEHIND: Final = Declared(
    "cheeper_read_api_behind_messages",
    "messages in the log that the live views do not hold, as the projector says, absent while it is silent",
    ("store", "generation", "partition"),
)
SECONDS_BEHIND: Final = Declared(
    "cheeper_read_api_behind_seconds",
    "age of the first of them, and the time since the projector said so where it is silent",
    ("store", "generation", "partition"),
)
OBJECTIVE: Final = Declared("cheeper_read_api_view_objective_seconds", "the lag objective of a view", ("store", "view"))
LATE: Final = Declared(
    "cheeper_read_api_view_late",
    "1 while the store's lag is beyond the view's objective, absent while the store is away",
    ("store", "generation", "view"),
)

DECLARED: Final = (
    REQUESTS,
    SECONDS,
    WAITING,
    WAITS,
    AWAY,
    SEQUENCE,
    MESSAGES_BEHIND,
    SECONDS_BEHIND,
    OBJECTIVE,
    LATE,
)


class Applied(msgspec.Struct, frozen=True):
    """How far a store is: its live generation, and by partition the sequences, and the lag as far as anyone told it."""

    generation: int
    sequences: Mapping[int, int]
    lags: Mapping[int, Lag]


class Metrics(Collector):
    """The metrics of one process, in a registry of its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.waiting = 0
        self.waits: Counter[Outcome] = Counter()
        self.away: Counter[str] = Counter()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._took: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()
        self._applied: Mapping[str, Applied] = {}
        self._clock = clock
        self._untold: dict[tuple[str, int], float] = {}  # since when a live generation lacks a report
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def answered(self, query: str, status: int, seconds: float) -> None:
        """A request was answered. `query` is a name of the code's, never what a client sent."""
        self._requests[query, status] += 1
        took = self._took.get(query)
        if took is None:
            took = self._took[query] = [0] * (len(BUCKETS) + 1)
        took[bisect_left(BUCKETS, seconds)] += 1
        self._seconds[query] += seconds  # type: ignore[assignment]  # a Counter counts seconds as well

    def text(self, applied: Mapping[str, Applied]) -> bytes:
        """All of them in Prometheus's text format, with how far each store is that said so."""
        self._applied = applied
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Nothing is asked when the collector is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """As of now."""
        requests = CounterMetricFamily(REQUESTS.name, REQUESTS.what, labels=REQUESTS.labels)
        for (query, status), number in self._requests.items():
            requests.add_metric((query, str(status)), number)
        yield requests
        seconds = HistogramMetricFamily(SECONDS.name, SECONDS.what, labels=SECONDS.labels)
        bounds = [*map(str, BUCKETS), "+Inf"]
        for query, took in self._took.items():
            seconds.add_metric((query,), list(zip(bounds, accumulate(took), strict=True)), self._seconds[query])
        yield seconds
        yield GaugeMetricFamily(WAITING.name, WAITING.what, value=self.waiting)
        for metric, counted in ((WAITS, self.waits), (AWAY, self.away)):
            family = CounterMetricFamily(metric.name, metric.what, labels=metric.labels)
            for label, number in counted.items():
                family.add_metric((label,), number)
            yield family
        yield from self._lag()

    def _lag(self) -> Iterator[Metric]:
        """How far and how late the stores are that answered."""
        gauges = {
            each: GaugeMetricFamily(each.name, each.what, labels=each.labels)
            for each in (SEQUENCE, MESSAGES_BEHIND, SECONDS_BEHIND, OBJECTIVE, LATE)
        }
        for store, objectives in OBJECTIVES.items():
            for view, objective in objectives.items():
                gauges[OBJECTIVE].add_metric((store, view), objective)
        for store, applied in self._applied.items():
            generation, untold = str(applied.generation), self._untold_lag(store, applied)
            lags = {partition: applied.lags.get(partition, untold) for partition in sorted(applied.sequences)}
            for partition, lag in lags.items():
                place = (store, generation, str(partition))
                gauges[SEQUENCE].add_metric(place, applied.sequences[partition])
                gauges[SECONDS_BEHIND].add_metric(place, lag.seconds)
                if lag.messages is not None:
                    gauges[MESSAGES_BEHIND].add_metric(place, lag.messages)
            worst = max(lag.seconds for lag in lags.values())
            for view, objective in OBJECTIVES[store].items():
                gauges[LATE].add_metric((store, generation, view), worst > objective)
        yield from gauges.values()

    def _untold_lag(self, store: str, applied: Applied) -> Lag:
        """Of a partition that nobody has reported: it is as late as we have seen that, since who reports is to come
        within a second.
        """
        place, now = (store, applied.generation), self._clock()
        if applied.lags.keys() >= applied.sequences.keys():
            self._untold.pop(place, None)
            return Lag(None, 0.0)
        return Lag(None, now - self._untold.setdefault(place, now))
