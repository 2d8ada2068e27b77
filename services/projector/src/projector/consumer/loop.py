"""The consumer loop of one store: poll, decode, project, apply with the checkpoint, and only then store the offset.

One consumer is one thread and one consumer group. The store's checkpoint decides where to read; sequences decide what
is new, what is a duplicate and what is missing. Only duplicates and unknown types are skipped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from threading import Event as Flag
from typing import Final, Protocol, TypeVar

import structlog
from confluent_kafka import Message

from cheeper_runtime.dead_letters.poison_limit import PoisonLimit
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import AbandonedError, RetryLoop
from projector.consumer import poison_limit as limits
from projector.consumer.message_log import MessageLog, log_left_out
from projector.consumer.partition import Partition
from projector.consumer.partitions import Partitions
from projector.consumer.progress import Progress
from projector.consumer.projecting import item_of
from projector.consumer.rate import Rate
from projector.consumer.step_limit import StepLimit, is_domain
from projector.consumer.traces import ProjectionTraces
from projector.kafka.assignment import PATIENCE, Assignment
from projector.kafka.dead_letter_topic import DeadLetters
from projector.messages.decoding import decode
from projector.projections import Project
from projector.stores.base import (
    Applied,
    Batch,
    GapError,
    Item,
    Outcome,
    Store,
    StoreUnavailableError,
    UnappliableError,
)

log = structlog.get_logger()

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0

T = TypeVar("T")


class Tasks(Protocol):
    """The tasks that the store leaves, which the consumer serves between messages."""

    def note(self, partition: int, waiting: int) -> None:
        """Note the length of a partition's queue of tasks, 0 if it has none."""

    def step(self, partitions: AbstractSet[int]) -> bool:
        """Do some of the work in these partitions. Return True while there is more to do."""


class Consumer:
    """Brings one store up to the end of the log, and keeps it there."""

    def __init__(  # noqa: PLR0913 - the parts of a consumer, which bootstrap builds
        self,
        *,
        store: Store,
        project: Project,
        assignment: Assignment,
        dead_letters: DeadLetters,
        readiness: Readiness,
        stop: Flag,
        limit: StepLimit,
        progress: Progress,
        tasks: Tasks | None = None,
        rate: Rate | None = None,
        poison_limit: PoisonLimit | None = None,
        traces: ProjectionTraces | None = None,
    ) -> None:
        self.store = store
        self.progress = progress
        self._project = project
        self._assignment = assignment
        self._dead_letters = dead_letters
        self._stop = stop
        self._limit = limit
        self._tasks = tasks
        self._rate = rate or Rate(None)
        self._poison_limit = poison_limit or PoisonLimit()
        self._traces = traces
        self._messages = MessageLog(store.name)
        self._retry = RetryLoop(
            readiness,
            store.name,
            StoreUnavailableError,
            sleep=assignment.idle,
            first=FIRST_PAUSE,
            longest=LONGEST_PAUSE,
            on_failure=progress.retried,
        )
        self._partitions = Partitions(
            store=store,
            assignment=assignment,
            readiness=readiness,
            retry=self._retry,
            wanted=self._wanted,
            progress=progress,
        )
        self._more_tasks = False
        readiness.expect(store.name)

    def run(self) -> None:
        """Consume until stopped or until the limit is reached. Raise TooMuchPoisonError, and whatever is a defect."""
        try:
            with suppress(AbandonedError):
                self._persist(self.store.prepare)
                while self._wanted():
                    self._partitions.refresh()
                    self._consume()
                    self._serve_tasks()
                    self._dead_letters.poll()
        finally:
            self._assignment.close()
            self._dead_letters.close()
            self.store.close()
        if self._limit.reached:
            log.info("limit reached", store=self.store.name, what="domain messages", number=self._limit.number)

    def _consume(self) -> None:
        if wait := self._rate.wait:
            self._assignment.idle(min(wait, PATIENCE))
            return
        polled = self._assignment.poll(0 if self._more_tasks else PATIENCE)
        with suppress(AbandonedError):
            for some in self._limit.rounds(polled):
                self._consume_round(some)

    def _consume_round(self, polled: Mapping[int, Sequence[Message]]) -> None:
        decoded = {number: [decode(message) for message in messages] for number, messages in polled.items()}
        partitions = [self._partitions[number] for number in decoded]
        for partition in partitions:
            messages = decoded[partition.number]
            new = partition.select(messages)
            self._messages.received(new)
            relocated = [Item(message=message) for message in partition.relocated(messages, self._topic_id)]
            partition.begin(relocated + self._limit.allowed([item_of(self._project, message) for message in new]))
        self._apply(partitions)
        for partition in partitions:
            if not self._limit.reached and partition.end(decoded[partition.number][-1].offset):
                self._assignment.pause([partition.number])

    def _apply(self, partitions: Sequence[Partition]) -> None:
        """Apply all that is in flight, in as many calls as it takes. Raise AbandonedError and TooMuchPoisonError."""
        missed = set[int]()
        while waiting := [each for each in partitions if each.in_flight and each.number not in missed]:
            if any(item.poison for each in waiting for item in each.next_items):
                waiting = waiting[:1]  # the limit of poison counts one call after the other
            began, before = time.time_ns(), time.perf_counter()
            outcomes = self._store_applies(waiting)
            self.progress.counts.applying.observe(time.perf_counter() - before)
            for partition, outcome in zip(waiting, outcomes, strict=False):
                match outcome:
                    case Applied():
                        self._acknowledge(partition, outcome, began)
                    case UnappliableError():
                        partition.refuse(outcome)
                    case GapError():
                        partition.miss()
                        missed.add(partition.number)

    def _store_applies(self, partitions: Sequence[Partition]) -> list[Outcome]:
        batches = [
            Batch(
                partition=each.number,
                topic_id=self._topic_id,
                items=limits.within(self._poison_limit, each, each.next_items, self.store.name),
            )
            for each in partitions
        ]
        return self._persist(lambda: self.store.apply(batches), {each.number for each in partitions})

    def _acknowledge(self, partition: Partition, applied: Applied, began: int) -> None:
        new, parked, last_offset = partition.acknowledge(applied)
        if self._traces is not None:
            self._traces.applied(new, parked, began)
        self._messages.applied(item for item in new if item.offset not in parked)
        self._messages.parked((item.message for item in new if item.offset in parked), parked.values())
        log_left_out(applied.left_out)
        if self._tasks is not None:
            self._tasks.note(partition.number, applied.waiting)
        for message in parked.values():
            self._dead_letters.copy(message, self.store.name)
        self._poison_limit.count(sum(not message.behind for message in parked.values()))
        self._limit.count(sum(is_domain(item) for item in new))
        self._rate.count(len(new))
        self._assignment.store_offset(partition.number, last_offset)

    def _serve_tasks(self) -> None:
        tasks = self._tasks
        if tasks is not None:
            self._more_tasks = self._persist(lambda: tasks.step(self._assignment.assigned))

    def _persist(self, action: Callable[[], T], partitions: AbstractSet[int] = frozenset()) -> T:
        return self._retry.run(action, lambda: self._wanted(partitions))

    def _wanted(self, partitions: AbstractSet[int] = frozenset()) -> bool:
        # A rebalance that takes one of them pauses all: what this consumer keeps is read again from the checkpoint.
        ours = partitions <= self._assignment.assigned
        return ours and not self._stop.is_set() and not self._limit.reached

    @property
    def _topic_id(self) -> str:
        return self._assignment.topic.topic_id or ""
