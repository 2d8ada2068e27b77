"""The partitions that the group assigned to a consumer: each is read from the store's checkpoint on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import RetryLoop
from projector.consumer.partition import Partition
from projector.consumer.progress import Progress
from projector.kafka.assignment import BEGINNING, Assignment
from projector.stores.base import Store

log = structlog.get_logger()

CHECK_PERIOD: Final = 1.0


class Partitions:
    """Keeps the consumer's partitions in step with the assignment, the topic and the store.

    `refresh` raises AbandonedError once the consumer is not `wanted` any more while the store is unavailable.
    """

    def __init__(  # noqa: PLR0913 - what a consumer is made of
        self,
        *,
        store: Store,
        assignment: Assignment,
        readiness: Readiness,
        retry: RetryLoop,
        wanted: Callable[[], bool],
        progress: Progress,
    ) -> None:
        self._store = store
        self._assignment = assignment
        self._readiness = readiness
        self._retry = retry
        self._wanted = wanted
        self._progress = progress
        self._views = f"{store.name}_views"
        self._check_at = 0.0
        readiness.expect("kafka", self._views)

    def __getitem__(self, number: int) -> Partition:
        return self._progress.partitions[number]

    def refresh(self) -> None:
        """Follow what has changed, and report readiness.

        After a rebalance the new partitions get a state, after the topic was created again all do. A store whose
        checkpoint went back, because it was restored, has its partitions read again. Each paused partition is sought
        to the store's checkpoint and resumed. Raise AbandonedError if this is to stop.
        """
        replaced, assigned = self._assignment.poll_topic(), self._assignment.assigned
        if replaced or self._progress.partitions.keys() != assigned:
            known = {} if replaced else self._progress.partitions
            self._progress.partitions = {number: known.get(number) or self._new(number) for number in sorted(assigned)}
        self._readiness.report("kafka", self._assignment.error)
        self._readiness.report(self._views, self._incomplete())
        if time.monotonic() >= self._check_at:
            self._check_at = time.monotonic() + CHECK_PERIOD
            self._check_store()
        self._start_paused()

    def _start_paused(self) -> None:
        topic_id, paused = self._assignment.topic.topic_id, sorted(self._assignment.paused)
        if not paused or topic_id is None:
            return
        offsets = {}
        stored = self._retry.run(lambda: self._store.checkpoints(paused), self._wanted)
        for number in self._progress.partitions.keys() & stored.keys():
            offset = self[number].start(stored[number], topic_id)
            if offset is None or number in self._assignment.out_of_range:
                offset = BEGINNING
            offsets[number] = offset
            log.info(
                "reading",
                store=self._store.name,
                partition=number,
                sequence=stored[number].sequence,
                offset=None if offset == BEGINNING else offset,
            )
        self._assignment.read_from(offsets)

    def _check_store(self) -> None:
        """Start a partition anew whose checkpoint went back, as it does when the store is restored from a backup."""
        reading = sorted(self._assignment.assigned - self._assignment.paused)
        for number, stored in self._retry.run(lambda: self._store.checkpoints(reading), self._wanted).items():
            if stored.sequence < self[number].checkpoint.sequence:
                log.warning("the store is older than it was", store=self._store.name, partition=number)
                self._retry.run(self._store.prepare, self._wanted)
                self._progress.partitions = {**self._progress.partitions, number: self._new(number)}
                self._assignment.pause([number])

    def _new(self, number: int) -> Partition:
        return Partition(number, self._progress.counts)

    def _incomplete(self) -> str | None:
        if not self._assignment.joined:
            return "has no partitions yet"
        missing = [
            f"{partition.missing} of partition {number}"
            for number, partition in self._progress.partitions.items()
            if partition.missing
        ]
        if missing:
            return f"sequence {', '.join(missing)} is missing in the log"
        return "partitions wait to be read" if self._assignment.paused else None
