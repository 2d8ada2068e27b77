"""Tasks, fan-out and refills: served slice by slice between other work, or by `projector tasks` alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from threading import Event as Flag
from typing import Final

import msgspec
import structlog

from cheeper_contracts.partitions import PARTITIONS
from cheeper_runtime.metrics.observations import Observations
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import AbandonedError, RetryLoop
from cheeper_runtime.traces.traceparent import ids
from projector.consumer.message_log import log_left_out
from projector.consumer.step_limit import StepLimit
from projector.fan_out.traces import TaskTraces
from projector.stores.base import StoreUnavailableError
from projector.stores.task_store import Refill, Slice, SliceOf, TaskStore

log = structlog.get_logger()

POLL_PERIOD: Final = 1.0
"""Seconds between two readings of the partitions with tasks: another process may have left some."""
IDLE_SECONDS: Final = 0.05


class FanOutTasks:
    """The tasks of one store. Two processes at the same tasks do no harm: each slice is one step in the store.

    `durations` gets the seconds of each step, by its kind: `slice` or `refill`.
    """

    def __init__(  # noqa: PLR0913 - the parts of it, which bootstrap builds
        self,
        store: TaskStore,
        limit: StepLimit | None = None,
        *,
        poll_period: float = POLL_PERIOD,
        clock: Callable[[], float] = time.monotonic,
        traces: TaskTraces | None = None,
        durations: Mapping[str, Observations] | None = None,
    ) -> None:
        self._durations = durations
        self._store = store
        self._poll_period = poll_period
        self._clock = clock
        self._traces = traces
        self._poll_at = 0.0
        self._polled: AbstractSet[int] = frozenset()
        self._waiting: set[int] = set()
        self.limit = limit or StepLimit(None)

    def note(self, partition: int, waiting: int) -> None:
        """Note the length of a partition's queue of tasks, as a call of the store has just reported it."""
        (self._waiting.add if waiting else self._waiting.discard)(partition)

    def step(self, partitions: AbstractSet[int]) -> bool:
        """Serve one slice in each of these partitions that has a task. Return True while there is more to do."""
        if partitions != self._polled or self._clock() >= self._poll_at:
            self._waiting = self._store.partitions_with_tasks(partitions)
            self._polled, self._poll_at = frozenset(partitions), self._clock() + self._poll_period
        for partition in sorted(self._waiting & partitions):
            if self.limit.reached:
                return False
            began, before = time.time_ns(), time.perf_counter()
            served = self._store.serve(partition)
            self.note(partition, served.waiting if served else 0)
            if served is not None:
                self.limit.count(1)
                if self._durations is not None:
                    kind = "slice" if isinstance(served, Slice) else "refill"
                    self._durations[kind].observe(time.perf_counter() - before)
                if self._traces is not None and isinstance(served, Slice):
                    self._traces.served(served, partition, began)
                _log_served(self._store.name, served, partition)
        return bool(self._waiting & partitions)


def run(store: TaskStore, readiness: Readiness, limit: StepLimit, stop: Flag, traces: TaskTraces | None = None) -> None:
    """Serve the tasks of all partitions until stopped or the limit is reached."""
    tasks = FanOutTasks(store, limit, poll_period=IDLE_SECONDS, traces=traces)
    retry = RetryLoop(readiness, store.name, StoreUnavailableError, sleep=stop.wait, longest=2.0)
    partitions = frozenset(range(PARTITIONS))
    try:
        while not stop.is_set() and not limit.reached:
            if not retry.run(lambda: tasks.step(partitions), lambda: not stop.is_set()):
                stop.wait(IDLE_SECONDS)
    except AbandonedError:
        return
    if limit.reached:
        log.info("limit reached", what="slices", number=limit.number)


def _log_served(store: str, served: Slice | Refill, partition: int) -> None:
    log_left_out(served.left_out)
    if isinstance(served, Refill):
        log.info(
            "timeline refilled",
            store=store,
            reader=served.reader_id,
            added=served.added,
            goes_on=served.goes_on,
            partition=partition,
        )
        return
    log.info(
        "slice served",
        store=store,
        author=served.author_id,
        followers=served.served,
        partition=partition,
        each=[_line(task) for task in served.tasks],
    )


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    sequence: int
    correlation_id: str
    trace_id: str | None = None
    span_id: str | None = None


def _line(task: SliceOf) -> _Line:
    return _Line(task.sequence, task.correlation_id, *ids(task.traceparent))
