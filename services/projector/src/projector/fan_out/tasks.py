"""Tasks, fan-out and refills: served slice by slice, in between other events, or by `projector tasks` alone."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from threading import Event as Flag

import structlog

from cheeper_contracts.partitions import PARTITIONS
from projector.consumer.step_limit import Limit
from projector.ops.health import Health
from projector.ops.retry import Abandoned, Persistence
from projector.stores.base import LeftOut, Refill, Slice, TaskStore

log = structlog.get_logger()

IDLE_SECONDS = 0.05


class FanOutTasks:
    """The tasks of the Redis store. Two processes at the same tasks do no harm: each slice is one step in Redis."""

    def __init__(self, store: TaskStore, limit: Limit | None = None) -> None:
        self._store = store
        self.limit = limit or Limit(None)

    def step(self, partitions: AbstractSet[int]) -> bool:
        """Serves one slice in each of these partitions that has a task; true while there is more to do."""
        for partition in sorted(self._store.partitions_with_tasks() & partitions):
            if self.limit.reached:
                return False
            served = self._store.serve(partition)
            if served is not None:
                self.limit.count(1)
                _tell(served, partition)
        return bool(self._store.partitions_with_tasks() & partitions)


def run(store: TaskStore, health: Health, limit: Limit, stop: Flag) -> None:
    """Serves the tasks of all partitions until stopped or the limit is reached."""
    tasks = FanOutTasks(store, limit)
    persist = Persistence(health, store.name, lambda seconds: _sleep(stop, seconds))
    partitions = range(PARTITIONS)
    try:
        while not stop.is_set() and not limit.reached:
            persist.of(lambda: store.checkpoints(partitions), lambda: not stop.is_set())
            if not persist.of(lambda: tasks.step(set(partitions)), lambda: not stop.is_set()):
                _sleep(stop, IDLE_SECONDS)
    except Abandoned:
        return
    if limit.reached:
        log.info("limit reached", what="slices", number=limit.number)


def _sleep(stop: Flag, seconds: float) -> None:
    stop.wait(seconds)


def tell_left_out(left_out: Iterable[LeftOut]) -> None:
    """Their timelines lack something until somebody sees to their keys."""
    for one in left_out:
        log.error(
            "reader left out", reader=one.reader_id, author=one.author_id, why="a key of its view is of a wrong type"
        )


def _tell(served: Slice | Refill, partition: int) -> None:
    tell_left_out(served.left_out)
    if isinstance(served, Refill):
        log.info(
            "timeline refilled",
            store="redis",
            reader=served.reader_id,
            added=served.added,
            goes_on=served.goes_on,
            partition=partition,
        )
        return
    log.info(
        "slice served",
        store="redis",
        author=served.author_id,
        followers=served.served,
        partition=partition,
        each=served.tasks,
    )
