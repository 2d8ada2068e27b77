"""The metrics of a projector's process, each declared once.

Consumers keep plain numbers (`projector.consumer.progress`), which become samples when the page is requested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event as Flag
from typing import Final

import structlog
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.lag import OBJECTIVES, Lag
from cheeper_runtime.metrics.page import Declaration, Families, accepted_page, new_registry
from cheeper_runtime.readiness import metrics as readiness_metrics
from cheeper_runtime.readiness.needs import Readiness
from projector.consumer.partition import Partition
from projector.consumer.progress import Progress
from projector.kafka.log_end import LogEndHistory
from projector.stores.base import Backlog, StoreUnavailableError

log = structlog.get_logger()

BACKLOG_PERIOD: Final = 5.0

_STORE: Final = ("store", "generation")
_PARTITION: Final = (*_STORE, "partition")

SEQUENCE: Final = Declaration(
    "cheeper_projector_applied_sequence", "the last sequence that the store has applied", _PARTITION
)
LAG_MESSAGES: Final = Declaration(
    "cheeper_projector_lag_messages", "messages in the log that the store has not applied", _PARTITION
)
LAG_SECONDS: Final = Declaration(
    "cheeper_projector_lag_seconds",
    "age of the first message in the log that the store has not applied, 0 at the end of the log",
    _PARTITION,
)
GAP: Final = Declaration("cheeper_projector_gap", "1 where a sequence is missing in the log", _PARTITION)
APPLIED: Final = Declaration("cheeper_projector_events_applied_total", "events that were applied", _STORE)
DUPLICATES: Final = Declaration(
    "cheeper_projector_duplicates_total", "messages that were read although the store had them", _STORE
)
VISIBLE: Final = Declaration(
    "cheeper_projector_visible_seconds",
    "time from the transaction of an applied event to the store's acknowledgement, from when on queries show it",
    _STORE,
    histogram=True,
)
REQUESTED: Final = Declaration(
    "cheeper_projector_request_to_visible_seconds",
    "time from the request of a command to the store's acknowledgement of its event, by the clocks of gateway and "
    "projector, for commands without an `Idempotency-Key`: the gateway writes its time into their ids, to 10 ms",
    _STORE,
    histogram=True,
)
APPLYING: Final = Declaration(
    "cheeper_projector_apply_seconds",
    "duration of a store's calls that apply a batch, retries included",
    _STORE,
    histogram=True,
)
UNKNOWN: Final = Declaration(
    "cheeper_projector_unknown_types_total",
    "messages of a type that this version does not know, which were skipped",
    _STORE,
)
PARKED: Final = Declaration(
    "cheeper_projector_parked_total", "messages that were parked, as poison or behind poison of their key", _STORE
)
RETRIES: Final = Declaration(
    "cheeper_projector_store_retries_total",
    "calls that failed because the store was unavailable, by the driver's error",
    (*_STORE, "error"),
)
TASKS: Final = Declaration(
    "cheeper_projector_tasks_waiting",
    "authors with fan-out tasks, and short timelines that are to be refilled",
    _STORE,
)
TASK_SECONDS: Final = Declaration(
    "cheeper_projector_task_seconds",
    "duration of a step of a task: a slice of a fan-out, or the refill of a timeline",
    (*_STORE, "task"),
    histogram=True,
)
PARKED_WAITING: Final = Declaration("cheeper_projector_parked_waiting", "messages that are parked now", _STORE)
MEMORY: Final = Declaration(
    "cheeper_projector_store_memory_ratio",
    "memory that the store uses, as a share of its limit, at which it refuses writes",
    _STORE,
)
OBJECTIVE: Final = Declaration(
    "cheeper_projector_view_objective_seconds", "the lag objective of a view", ("store", "view")
)
OBJECTIVE_MISSED: Final = Declaration(
    "cheeper_projector_view_objective_missed",
    "1 while the store's lag is beyond the view's objective",
    (*_STORE, "view"),
)

READY: Final = readiness_metrics.declare("cheeper_projector")

DECLARED: Final = (
    READY,
    SEQUENCE,
    LAG_MESSAGES,
    LAG_SECONDS,
    GAP,
    APPLIED,
    VISIBLE,
    REQUESTED,
    APPLYING,
    DUPLICATES,
    UNKNOWN,
    PARKED,
    RETRIES,
    TASKS,
    TASK_SECONDS,
    PARKED_WAITING,
    MEMORY,
    OBJECTIVE,
    OBJECTIVE_MISSED,
)


class Metrics(Collector):
    """The metrics of one process."""

    def __init__(self, ends: LogEndHistory, readiness: Readiness) -> None:
        self._readiness = readiness
        self.ends = ends
        self._expected: dict[str, Progress] = {}
        self._consumers: list[Progress] = []
        self._registry = new_registry(self)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Return the page in a format of the header `Accept`, and its type."""
        return accepted_page(self._registry, accept)

    def expect(self, store: str) -> None:
        """Expect a consumer of this store. Until it is added, its lag is the time since now."""
        self._expected[store] = progress = Progress(store)
        progress.partitions = {number: Partition(number) for number in range(PARTITIONS)}

    def add(self, progress: Progress) -> None:
        """Add a consumer."""
        self._expected.pop(progress.store, None)
        self._consumers = [*self._consumers, progress]

    def remove(self, progress: Progress) -> None:
        """Remove a consumer and its series."""
        self._consumers = [each for each in self._consumers if each is not progress]

    def describe(self) -> Iterator[Metric]:
        """Return the names alone, so that nothing is computed when the collector is registered."""
        return iter(Families(DECLARED))

    def collect(self) -> Iterator[Metric]:
        """Return the samples as of now."""
        families = Families(DECLARED)
        readiness_metrics.add_needs(families, READY, self._readiness.met)
        for store, objectives in OBJECTIVES.items():
            for view, seconds in objectives.items():
                families.add(OBJECTIVE, seconds, store, view)
        for progress in (*self._expected.values(), *self._consumers):
            self._add(families, progress)
        return iter(families)

    def _add(self, families: Families, progress: Progress) -> None:
        of_store, counts = (progress.store, str(progress.generation)), progress.counts
        families.add(APPLIED, counts.applied, *of_store)
        counts.visible.add_to(families, VISIBLE, *of_store)
        counts.requested.add_to(families, REQUESTED, *of_store)
        counts.applying.add_to(families, APPLYING, *of_store)
        for kind, durations in counts.tasks.items():
            durations.add_to(families, TASK_SECONDS, *of_store, kind)
        families.add(DUPLICATES, counts.duplicates, *of_store)
        families.add(UNKNOWN, counts.unknown, *of_store)
        families.add(PARKED, counts.parked, *of_store)
        for error, number in counts.retries.copy().items():
            families.add(RETRIES, number, *of_store, error)
        if backlog := progress.backlog:
            families.add(TASKS, backlog.tasks, *of_store)
            families.add(PARKED_WAITING, backlog.parked, *of_store)
            if backlog.memory is not None:
                families.add(MEMORY, backlog.memory, *of_store)
        worst = 0.0
        for number, partition in progress.partitions.items():
            lag = partition.lag(self.ends)
            worst = max(worst, lag.seconds)
            _add_partition(families, partition, lag, (*of_store, str(number)))
        for view, objective in OBJECTIVES[progress.store].items():
            families.add(OBJECTIVE_MISSED, worst > objective, *of_store, view)


def _add_partition(families: Families, partition: Partition, lag: Lag, labels: tuple[str, ...]) -> None:
    if partition.started:
        families.add(SEQUENCE, partition.checkpoint.sequence, *labels)
    if lag.messages is not None:
        families.add(LAG_MESSAGES, lag.messages, *labels)
    families.add(LAG_SECONDS, lag.seconds, *labels)
    families.add(GAP, partition.missing is not None, *labels)


def count_backlog(progress: Progress, count: Callable[[], Backlog], stop: Flag) -> None:
    """Count what waits in a consumer's store every few seconds. It is unknown while the store is unavailable."""
    while not stop.is_set():
        try:
            progress.backlog = count()
        except StoreUnavailableError:
            progress.backlog = None
        except Exception:
            progress.backlog = None
            log.exception("the backlog cannot be counted", store=progress.store)
        stop.wait(BACKLOG_PERIOD)
