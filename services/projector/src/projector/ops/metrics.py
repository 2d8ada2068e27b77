"""What a projector's process tells at GET /metrics: every metric, declared once.

Consumers note plain numbers (`projector.consumer.progress`); all else is done when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event as Flag
from threading import Thread
from typing import Final

import msgspec
import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cheeper_contracts.lag import OBJECTIVES, Lag
from cheeper_contracts.partitions import PARTITIONS
from projector.consumer.partition import Partition
from projector.consumer.progress import Progress
from projector.ops.log_end_history import LogEndHistory
from projector.stores.base import Backlog, StoreUnavailableError

log = structlog.get_logger()

WAITING_PERIOD: Final = 5.0

_STORE: Final = ("store", "generation")
_PARTITION: Final = (*_STORE, "partition")


class Declared(msgspec.Struct, frozen=True):
    """A metric: a counter where its name ends in `_total`, a gauge otherwise."""

    name: str
    what: str
    labels: tuple[str, ...]

    def family(self) -> CounterMetricFamily | GaugeMetricFamily:
        """An empty one, for the samples of one answer."""
        kind = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        return kind(self.name, self.what, labels=self.labels)


SEQUENCE: Final = Declared(
    "cheeper_projector_applied_sequence", "the last sequence that the store has applied", _PARTITION
)
MESSAGES_BEHIND: Final = Declared(
    "cheeper_projector_behind_messages", "messages in the log that the store has not applied", _PARTITION
)
SECONDS_BEHIND: Final = Declared(
    "cheeper_projector_behind_seconds",
    "age of the first message in the log that the store has not applied, 0 at the end of the log",
    _PARTITION,
)
GAP: Final = Declared("cheeper_projector_gap", "1 where a sequence is missing in the log", _PARTITION)
APPLIED: Final = Declared("cheeper_projector_events_applied_total", "events that were applied", _STORE)
DUPLICATES: Final = Declared(
    "cheeper_projector_duplicates_total", "messages that were read and that the store had already", _STORE
)
UNKNOWN: Final = Declared(
    "cheeper_projector_unknown_types_total", "messages of a type that this version does not know, passed over", _STORE
)
PARKED: Final = Declared(
    "cheeper_projector_parked_total", "messages that were set aside, as poison or behind poison of their key", _STORE
)
RETRIES: Final = Declared(
    "cheeper_projector_store_retries_total",
    "attempts that the store did not take, by the driver's error",
    (*_STORE, "why"),
)
TASKS: Final = Declared(
    "cheeper_projector_tasks_waiting",
    "authors with fan-out tasks, and short timelines that wait to be refilled",
    _STORE,
)
PARKED_WAITING: Final = Declared("cheeper_projector_parked_waiting", "messages that are set aside now", _STORE)
OBJECTIVE: Final = Declared(
    "cheeper_projector_view_objective_seconds", "the lag objective of a view", ("store", "view")
)
LATE: Final = Declared(
    "cheeper_projector_view_late", "1 while the store's lag is beyond the view's objective", (*_STORE, "view")
)

DECLARED: Final = (
    SEQUENCE,
    MESSAGES_BEHIND,
    SECONDS_BEHIND,
    GAP,
    APPLIED,
    DUPLICATES,
    UNKNOWN,
    PARKED,
    RETRIES,
    TASKS,
    PARKED_WAITING,
    OBJECTIVE,
    LATE,
)


class Metrics(Collector):
    """The metrics of one process, in a registry of its own."""

    def __init__(self, ends: LogEndHistory) -> None:
        self.ends = ends
        self._expected: dict[str, Progress] = {}
        self._consumers: list[Progress] = []
        self._waiting: dict[tuple[str, int], Backlog] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All of them, in Prometheus's text format."""
        return generate_latest(self._registry)

    def expect(self, store: str) -> None:
        """A store that is to be filled: until it has said which generations it has, it is as late as we have waited."""
        self._expected[store] = progress = Progress(store)
        progress.partitions = {number: Partition(number) for number in range(PARTITIONS)}

    def add(self, progress: Progress) -> None:
        """A consumer more."""
        self._expected.pop(progress.store, None)
        self._consumers = [*self._consumers, progress]

    def forget(self, progress: Progress) -> None:
        """A consumer less, whose series go with it."""
        self._consumers = [each for each in self._consumers if each is not progress]
        self._waiting.pop((progress.store, progress.generation), None)

    def tells_of(self, progress: Progress) -> bool:
        """Whether a consumer was added and not forgotten."""
        return progress in self._consumers

    def watch_waiting(self, progress: Progress, ask: Callable[[], Backlog], stop: Flag) -> Thread:
        """Asks a store now and then what waits in it, in a thread of its own. While it is away, nothing is told."""
        place = (progress.store, progress.generation)

        def look() -> None:
            while not stop.is_set() and self.tells_of(progress):
                try:
                    self._waiting[place] = ask()
                except StoreUnavailableError:
                    self._waiting.pop(place, None)
                except Exception:
                    self._waiting.pop(place, None)
                    log.exception("what waits cannot be counted", store=progress.store)
                stop.wait(WAITING_PERIOD)

        thread = Thread(target=look, name=f"waiting-{progress.store}", daemon=True)
        thread.start()
        return thread

    def describe(self) -> Iterator[Metric]:
        """The names alone, so that nothing is asked when the collector is registered."""
        return (each.family() for each in DECLARED)

    def collect(self) -> Iterator[Metric]:
        """As of now."""
        families = {each: each.family() for each in DECLARED}

        def tell(metric: Declared, value: float, *labels: str) -> None:
            families[metric].add_metric(labels, value)

        for store, objectives in OBJECTIVES.items():
            for view, seconds in objectives.items():
                tell(OBJECTIVE, seconds, store, view)
        for progress in (*self._expected.values(), *self._consumers):
            self._tell(progress, tell)
        yield from families.values()

    def _tell(self, progress: Progress, tell: Callable[..., None]) -> None:
        of_store, counts = (progress.store, str(progress.generation)), progress.counts
        for metric, number in (
            (APPLIED, counts.applied),
            (DUPLICATES, counts.duplicates),
            (UNKNOWN, counts.unknown),
            (PARKED, counts.parked),
        ):
            tell(metric, number, *of_store)
        for why, number in counts.retries.copy().items():
            tell(RETRIES, number, *of_store, why)
        waiting = self._waiting.get((progress.store, progress.generation))
        if waiting is not None:
            tell(TASKS, waiting.tasks, *of_store)
            tell(PARKED_WAITING, waiting.parked, *of_store)
        worst = 0.0
        for number, partition in progress.partitions.items():
            lag = partition.lag(self.ends)
            worst = max(worst, lag.seconds)
            _tell_partition(partition, lag, (*of_store, str(number)), tell)
        for view, objective in OBJECTIVES[progress.store].items():
            tell(LATE, worst > objective, *of_store, view)


def _tell_partition(partition: Partition, lag: Lag, labels: tuple[str, ...], tell: Callable[..., None]) -> None:
    if partition.started:
        tell(SEQUENCE, partition.checkpoint.sequence, *labels)
    if lag.messages is not None:
        tell(MESSAGES_BEHIND, lag.messages, *labels)
    tell(SECONDS_BEHIND, lag.seconds, *labels)
    tell(GAP, partition.missing is not None, *labels)
