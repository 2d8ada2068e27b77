"""From the event log to one store: read, decode, project, apply with the checkpoint, and only then tell Kafka.

One consumer is one thread and one consumer group. The store's checkpoint says where to read; sequences say what is new,
what is double and what is missing. Nothing is passed over but what the rules name: duplicates and unknown types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event as Flag
from typing import TypeVar

import msgspec
import structlog
from confluent_kafka import Message

from projector.consumer.decoding import DecodedMessage, decode
from projector.consumer.places import Places
from projector.consumer.poison_limit import MOST_A_MINUTE, MOST_IN_A_ROW, PerMinute
from projector.consumer.positions import Search
from projector.consumer.progress import Progress
from projector.consumer.projecting import item_of, refused_by_store
from projector.consumer.rate import Rate
from projector.consumer.step_limit import Limit, is_domain
from projector.fan_out.tasks import FanOutTasks, tell_left_out
from projector.kafka.assignment import PATIENCE, TopicLog
from projector.kafka.dead_letter_topic import DeadLetters
from projector.ops.health import Health
from projector.ops.retry import Abandoned, Persistence
from projector.projections import Project
from projector.stores.base import Applied, Batch, GapError, Item, Store, UnappliableError

log = structlog.get_logger()
T = TypeVar("T")


class TooMuchPoisonError(Exception):
    """So many messages in a row or a minute could not be applied that the fault is likely here: see to it, then start
    again. The text is for anyone; `last_error` is the last one's, which may say what the message holds: for the log.
    """

    def __init__(self, text: str, last_error: str | None) -> None:
        super().__init__(text)
        self.last_error = last_error


class Consumer:
    """Brings one store up to the log, and keeps it there."""

    def __init__(  # noqa: PLR0913 - what bootstrap puts together
        self,
        *,
        store: Store,
        project: Project,
        event_log: TopicLog,
        dead_letters: DeadLetters,
        health: Health,
        stop: Flag,
        limit: Limit,
        progress: Progress,
        tasks: FanOutTasks | None = None,
        rate: Rate | None = None,
        most_in_a_row: int = MOST_IN_A_ROW,
        most_a_minute: int = MOST_A_MINUTE,
    ) -> None:
        self._store = store
        self._project = project
        self._log = event_log
        self._dead_letters = dead_letters
        self._stop = stop
        self._limit = limit
        self._tasks = tasks
        self.progress = progress
        progress.owned = lambda: event_log.owned
        self._rate = rate or Rate(None)
        self._most_in_a_row = most_in_a_row
        self._most_a_minute = most_a_minute
        self._last_minute = PerMinute(most_a_minute)
        self._persistence = Persistence(health, store.name, event_log.idle, retried=progress.retried)
        self._places = Places(
            store=store,
            event_log=event_log,
            health=health,
            persistence=self._persistence,
            wanted=self._wanted,
            progress=progress,
        )
        self._busy = False
        health.expect(store.name)

    def run(self) -> None:
        """Reads until stopped or the limit is reached. Raises TooMuchPoisonError, and what is a defect."""
        try:
            with suppress(Abandoned):
                self._persist(self._store.prepare)
                while self._wanted():
                    self._places.look_around()
                    self._places.place_held()
                    if self._rate.wait:
                        self._log.idle(min(self._rate.wait, PATIENCE))
                    else:
                        for partition, messages in self._log.read(0 if self._busy else PATIENCE).items():
                            self._take(partition, messages)
                    self._serve_tasks()
                    self._dead_letters.serve()
        finally:
            self._log.close()
            self._dead_letters.close()
            self._store.close()
        if self._limit.reached:
            log.info("limit reached", store=self._store.name, what="domain messages", number=self._limit.number)

    def _take(self, partition: int, messages: Sequence[Message]) -> None:
        position = self._places.of(partition)
        found = [decode(message) for message in messages]
        fresh, gap = position.continued_by(found)
        self.progress.reads(partition, found, fresh)
        items = [Item(incoming=again) for again in position.last_again(found, self._log.watch.topic_id or "")]
        items += self._limit.allowed(self._items(fresh))
        try:
            with suppress(Abandoned):
                self._apply(partition, items)
                if gap and not self._limit.reached:
                    self._places.miss(partition)
                whole = not gap and position.search is Search.NONE and not self._limit.reached
                self.progress.took(partition, found[-1], whole=whole, gap=position.search is not Search.NONE)
        except GapError:
            self._places.miss(partition)
            self.progress.took(partition, found[-1], whole=False, gap=True)

    def _items(self, fresh: Sequence[DecodedMessage]) -> list[Item]:
        self._tell(log.info, "received", fresh)
        unknown = [incoming for incoming in fresh if incoming.poison is None and incoming.event is None]
        self._tell(log.warning, "skipped: unknown type", unknown)
        return [item_of(self._project, incoming) for incoming in fresh]

    def _tell(self, say: Callable[..., object], what: str, messages: Sequence[DecodedMessage]) -> None:
        if messages:
            say(what, store=self._store.name, each=[_said(incoming) for incoming in messages])

    def _apply(self, partition: int, items: list[Item]) -> None:
        """All of them, in as many calls as it takes. Raises GapError, TooMuchPoisonError, Abandoned."""
        size = len(items)
        while items:
            batch = Batch(
                partition=partition,
                topic_id=self._log.watch.topic_id or "",
                items=self._within_poison_limit(partition, items[:size]),
            )
            try:
                applied = self._persist(lambda batch=batch: self._store.apply(batch), partition)  # type: ignore[misc]
            except UnappliableError as error:
                if error.place is None and size > 1:
                    size = 1  # the store cannot tell which one it is, so they go one by one
                    continue
                items[error.place or 0] = refused_by_store(items[error.place or 0].incoming, error)
                continue
            self._settle(partition, items[: applied.used], applied)
            items = items[applied.used :]
            self.progress.holds(partition, items[0].incoming if items else None)

    def _settle(self, partition: int, items: Sequence[Item], applied: Applied) -> None:
        position = self._places.of(partition)
        before = position.checkpoint.sequence
        position.moved(applied.checkpoint)
        new = [item for item in items if item.sequence is None or item.sequence > before]
        parked = [message for message in applied.parked if message.sequence is None or message.sequence > before]
        aside = {message.offset for message in parked}
        self._tell(log.info, "applied", [item.incoming for item in new if item.offset not in aside])
        self._tell(log.info, "parked", [item.incoming for item in new if item.offset in aside])
        self.progress.settled(partition, new, aside, applied.checkpoint.sequence)
        tell_left_out(applied.left_out)
        self._last_minute.count(sum(not message.behind for message in parked))
        for message in parked:
            log.error(
                "waits" if message.behind else "cannot be applied",
                store=self._store.name,
                partition=message.partition,
                offset=message.offset,
                sequence=message.sequence,
                why=message.why,
                stack_digest=message.stack_digest,
            )
            self._dead_letters.copy(message, self._store.name)
        self._limit.count(sum(is_domain(item) for item in new))
        self._rate.count(len(new))
        self._log.store_offset(partition, items[-1].offset)

    def _within_poison_limit(self, partition: int, items: Sequence[Item]) -> tuple[Item, ...]:
        run, now = self._places.of(partition).checkpoint.poison, 0
        for place, item in enumerate(items):
            run = run + 1 if item.poison else 0
            now += bool(item.poison)
            many = f"{run} messages in a row of partition {partition}" if run >= self._most_in_a_row else None
            if many is None and item.poison and self._last_minute.reached_by(now):
                many = f"{self._most_a_minute} messages within a minute"
            if many and place == 0:
                raise TooMuchPoisonError(f"{many} cannot be applied to {self._store.name}", item.poison)
            if many:
                return tuple(items[:place])
        return tuple(items)

    def _serve_tasks(self) -> None:
        tasks = self._tasks
        if tasks is not None:
            self._busy = self._persist(lambda: tasks.step(self._log.owned))

    def _persist(self, action: Callable[[], T], partition: int | None = None) -> T:
        return self._persistence.of(action, lambda: self._wanted(partition))

    def _wanted(self, partition: int | None = None) -> bool:
        ours = partition is None or partition in self._log.owned
        return ours and not self._stop.is_set() and not self._limit.reached


class _Said(msgspec.Struct, frozen=True):
    """What a line of the log says of a message."""

    message_id: str | None
    correlation_id: str | None
    type: str | None
    key: str
    partition: int
    sequence: int | None


def _said(incoming: DecodedMessage) -> _Said:
    envelope = incoming.envelope
    return _Said(
        message_id=envelope.message_id if envelope else None,
        correlation_id=envelope.correlation_id if envelope else None,
        type=envelope.type if envelope else None,
        key=incoming.key,
        partition=incoming.partition,
        sequence=incoming.sequence,
    )
