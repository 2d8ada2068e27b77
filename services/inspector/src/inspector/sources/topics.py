"""Kafka: the messages of a partition near a time. Nothing is committed, and no consumer group is joined.

Commands are found by the time that Kafka keeps with each message. Events are not: when a topic is filled again, that
time is a new one. They are found by the time in their envelope, by halving, since a partition is in commit order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from cheeper_audit.stores import StoreUnavailableError
from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import MalformedEnvelopeError, from_headers
from cheeper_contracts.kafka.topics import Topic
from cheeper_runtime.servers.kafka import KafkaConnection
from inspector.trace.evidence import FoundMessage, TopicName, Wanted
from inspector.trace.model import Place

MOST_READ: Final = 2_000
"""The most messages that are read to find one."""
NEWEST_READ: Final = 500
"""The most messages of a partition in which those that name an author are searched."""
EARLY_MICROSECONDS: Final = 2_000_000
"""A message may be so much earlier than its time says: transactions of other keys commit in between."""
SECONDS: Final = 8.0
"""The time for all that one request reads."""
_BATCH: Final = 500
_NEAR: Final = 200
"""The number of messages that are read one after the other rather than halved again."""
_SLICE_SECONDS: Final = 2.0

_TOPICS: Final[Mapping[TopicName, Topic]] = {"commands": topics.COMMANDS, "events": topics.EVENTS}


def consumer_settings(connection: KafkaConnection) -> dict[str, Any]:
    """Return the settings of a consumer that reads little and leaves nothing."""
    return {
        **connection.client_settings(),
        "group.id": "cheeper.inspector",  # required, and never joined
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": 10,
        "fetch.message.max.bytes": 262_144,
        "queued.max.messages.kbytes": 1_024,
        "allow.auto.create.topics": False,
        "log_level": 2,
    }


class KafkaTopics:
    """Reads the topics by a consumer, which `connect` makes at the first read. Methods raise StoreUnavailableError."""

    def __init__(
        self, connect: Callable[[], Consumer], prefix: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connect = connect
        self._prefix = prefix
        self._clock = clock
        self._until = clock() + SECONDS
        self._made: Consumer | None = None

    def close(self) -> None:
        """Close the consumer, if there is one."""
        if self._made is not None:
            self._made.close()

    def find(self, topic: TopicName, partition: int, at: int, wanted: Wanted) -> tuple[FoundMessage, ...]:
        """Return the wanted messages from shortly before that time on, in microseconds: of the first batch that has
        one, among at most 2,000.
        """
        name = _TOPICS[topic].named(self._prefix)
        with as_unavailable():
            since = at - EARLY_MICROSECONDS
            first = (
                self._by_log(name, partition, since) if topic == "commands" else self._halved(name, partition, since)
            )
            return self._wanted(name, partition, first, wanted, MOST_READ)

    def newest(self, topic: TopicName, partition: int, wanted: Wanted) -> tuple[FoundMessage, ...]:
        """Return the wanted messages among the newest 500."""
        name = _TOPICS[topic].named(self._prefix)
        with as_unavailable():
            low, high = self._ends(name, partition)
            first = max(low, high - NEWEST_READ)
            return tuple(filter(wanted, self._messages(name, partition, first, high, NEWEST_READ)))

    def _wanted(self, name: str, partition: int, first: int, wanted: Wanted, most: int) -> tuple[FoundMessage, ...]:
        _, high = self._ends(name, partition)
        for start in range(first, min(high, first + most), _BATCH):
            found = tuple(filter(wanted, self._messages(name, partition, start, high, _BATCH)))
            if found:
                return found
        return ()

    def _by_log(self, name: str, partition: int, since: int) -> int:
        """Return the first offset at that time or later, by Kafka's own index."""
        [found] = self._consumer.offsets_for_times(
            [TopicPartition(name, partition, max(0, since // 1_000))], timeout=self._left()
        )
        _raise(found.error)
        return self._ends(name, partition)[1] if found.offset in {OFFSET_END, -1} else found.offset

    def _halved(self, name: str, partition: int, since: int) -> int:
        """Return an offset from which on messages of that time are near, by the times in envelopes."""
        low, high = self._ends(name, partition)
        while high - low > _NEAR:
            middle = (low + high) // 2
            found = next(self._messages(name, partition, middle, high, 1), None)
            if found is not None and found.envelope.time < since:
                low = middle
            else:
                high = middle
        return low

    def _messages(self, name: str, partition: int, first: int, high: int, most: int) -> Iterator[FoundMessage]:
        """Yield the readable messages of so many offsets."""
        last = min(high, first + most)
        if first >= last:
            return
        self._consumer.assign([TopicPartition(name, partition, first)])
        while first < last:
            read = self._consumer.consume(last - first, min(self._left(), _SLICE_SECONDS))
            for message in read:
                if (error := message.error()) is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                        return
                    _raise(error)
                first = _offset(message) + 1
                if first <= last and (found := _found(message)) is not None:
                    yield found

    def _ends(self, name: str, partition: int) -> tuple[int, int]:
        ends = self._consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=self._left())
        if ends is None or min(ends) < 0:  # a partition without a leader has unknown ends
            raise StoreUnavailableError("The Kafka at KAFKA_BOOTSTRAP_SERVERS does not respond in time.")
        return int(ends[0]), int(ends[1])

    @property
    def _consumer(self) -> Consumer:
        if self._made is None:
            self._made = self._connect()
        return self._made

    def _left(self) -> float:
        left = self._until - self._clock()
        if left <= 0:
            raise StoreUnavailableError("The Kafka at KAFKA_BOOTSTRAP_SERVERS does not respond in time.")
        return left


def _found(message: Message) -> FoundMessage | None:
    """Return the message, or None if it is not one of ours."""
    headers: Any = message.headers()
    try:
        envelope = from_headers(headers)
    except MalformedEnvelopeError:
        return None
    kind, milliseconds = message.timestamp()
    place = Place(
        topic=str(message.topic()),
        partition=int(message.partition() or 0),
        offset=_offset(message),
        at=None if kind == 0 else milliseconds * 1_000,
    )
    value: Any = message.value()
    return FoundMessage(envelope, value or b"", place)


def _offset(message: Message) -> int:
    offset = message.offset()
    return -1 if offset is None else int(offset)


def _raise(error: KafkaError | None) -> None:
    if error is not None:
        raise KafkaException(error)


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Turn an error of Kafka into StoreUnavailableError."""
    try:
        yield
    except KafkaException as error:
        first: KafkaError = error.args[0]
        raise StoreUnavailableError(
            f"The Kafka at KAFKA_BOOTSTRAP_SERVERS cannot be reached or does not serve: {first.name()}."
        ) from error
