"""A topic as one consumer group sees it: the partitions that it gave us, and their messages.

Where to read is the caller's to say, so a partition is held, and not read, from the moment the group gives it to us
until `place` is called. A store's checkpoint says it for the event log, and Kafka's group offsets, stored after the
messages are done, only show the lag; where no store keeps a checkpoint, those offsets say it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from projector.kafka.topic import TopicWatch, error_words

log = structlog.get_logger()

BEGINNING: Final = OFFSET_BEGINNING

_OUT_OF_RANGE: Final = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # noqa: SLF001 - its public name
PATIENCE: Final = 0.1
"""Seconds that a consumer with nothing else to do waits for messages."""
_BATCH: Final = 500
_JOIN_SECONDS: Final = 6.0
_CLOSE_SECONDS: Final = 8.0
_ASK_AGAIN_SECONDS: Final = 1.0
_REBALANCE_SECONDS: Final = 3.0
_ALL: Final = -1  # librdkafka's partition of an error that concerns none


def consumer_settings(bootstrap_servers: str, group: str) -> dict[str, Any]:
    """Librdkafka's settings for a consumer group."""
    return {
        "bootstrap.servers": bootstrap_servers,
        "group.id": group,
        "client.id": group,
        "enable.auto.commit": True,
        "auto.commit.interval.ms": 1_000,
        "enable.auto.offset.store": False,  # only what is done is committed
        "auto.offset.reset": "error",  # where to go is decided here
        "enable.partition.eof": True,  # a quiet partition shows by it that it can be read again
        "session.timeout.ms": 6_000,  # a dead projector's partitions move on soon
        "heartbeat.interval.ms": 1_000,
        "fetch.wait.max.ms": 50,  # Tansu answers at half of it however many messages there are
        "topic.metadata.refresh.interval.ms": 2_000,  # notices a topic that was made anew
        "queued.max.messages.kbytes": 16_384,
        "reconnect.backoff.max.ms": 2_000,
        "log.connection.close": False,
    }


class TopicLog:
    """The partitions that the group gave us, and their messages.

    `owned` are all of them; `held` are those among them that wait for `place`; of those, `out_of_range` were to be read
    where the log has nothing, so that only its beginning is left. `joined`: the group has said which are ours, if any.
    """

    def __init__(self, settings: dict[str, Any], topic: str, watch: TopicWatch) -> None:
        self.owned: set[int] = set()
        self.held: set[int] = set()
        self.out_of_range: set[int] = set()
        self.watch = watch
        self.joined = False
        self._due_at = 0.0  # when it should have joined the group again
        self._failing: dict[int, str] = {}  # why partitions cannot be read, or all of them under _ALL
        self._ask_again_at = 0.0
        self._next: dict[int, int] = {}  # where to read on, of those that are read
        self._topic = topic
        self._consumer = Consumer(settings, logger=logging.getLogger("librdkafka"))
        self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    @property
    def why_not(self) -> str | None:
        """Why nothing can be read, if so."""
        if self.watch.why_not:
            return self.watch.why_not
        if not self.joined and time.monotonic() >= self._due_at:
            return "has no place in its group"
        return next(iter(self._failing.values()), None)

    def look(self) -> bool:
        """Asks what the broker says of the topic; true, with everything held, when it is another one than before."""
        replaced = self.watch.tick()
        if replaced:
            log.warning("the topic is another one: reading it from its beginning", topic=self._topic)
            self.hold(self.owned)
        return replaced

    def read(self, seconds: float) -> dict[int, list[Message]]:
        """Messages by partition, in order: at once when some are there, else what comes first within the time."""
        self._ask_again()
        first = self._consumer.poll(seconds)
        if first is None:
            return {}
        by_partition: dict[int, list[Message]] = {}
        for message in (first, *self._consumer.consume(_BATCH - 1, timeout=0)):
            partition, offset, error = cast("int", message.partition()), message.offset(), message.error()
            if error is not None:
                self._failed(error, partition)
            elif partition in self._next and offset is not None:
                self._next[partition] = offset + 1
                by_partition.setdefault(partition, []).append(message)
                self._is_read(partition)
        return by_partition

    def place(self, positions: Mapping[int, int]) -> None:
        """Reads these partitions from these offsets on, as far as they are ours."""
        ours = {partition: offset for partition, offset in positions.items() if partition in self.owned}
        self._next |= ours
        self.held -= set(ours)
        self.out_of_range -= set(ours)
        self._read_on()

    def hold(self, partitions: Iterable[int]) -> None:
        """Reads nothing more of these partitions until they are placed again."""
        for partition in set(partitions) & self.owned:
            self.held.add(partition)
            self._next.pop(partition, None)
        self._read_on()

    def idle(self, seconds: float) -> None:
        """Stays in the group without reading: for the time while a store is away."""
        reading = [TopicPartition(self._topic, partition) for partition in self._next]
        self._consumer.pause(reading)
        message = self._consumer.poll(seconds)
        if message is not None and not _is_end(message.error()):
            # A message that was on its way is not lost: it is read again from where the partition is placed.
            self.hold([cast("int", message.partition())])
        self._consumer.resume([place for place in reading if place.partition in self._next])

    def store_offset(self, partition: int, offset: int) -> None:
        """Notes for the group that messages up to that offset are done, and of which topic."""
        if partition in self._next:
            place = TopicPartition(self._topic, partition, offset + 1, self.watch.topic_id or "")
            self._consumer.store_offsets(offsets=[place])

    def committed(self, partitions: Iterable[int], seconds: float) -> dict[int, int]:
        """Where the group is in this very topic; BEGINNING where it is nowhere. Raises KafkaException."""
        found = self._consumer.committed([TopicPartition(self._topic, place) for place in partitions], timeout=seconds)
        for place in found:
            if place.error is not None:
                raise KafkaException(place.error)
        # An offset of a topic that was wiped means nothing in the one made anew.
        return {
            place.partition: place.offset if place.offset >= 0 and place.metadata == self.watch.topic_id else BEGINNING
            for place in found
        }

    def close(self) -> None:
        """Leaves the group, once it is joined: for some seconds that is waited for.

        Tansu takes one that leaves before its join is answered for the group's leader for ever, and then gives nobody
        any partitions. And librdkafka waits for the answer to a commit as long as the broker is away, for ever if need
        be (its issue 3740): such a consumer is left to that, and the group misses it after the session's time.
        """
        deadline = time.monotonic() + _JOIN_SECONDS
        while not self.joined and time.monotonic() < deadline:
            self._consumer.poll(PATIENCE)
        closing = threading.Thread(target=self._consumer.close, name="closing", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)
        if closing.is_alive():
            log.warning("ended without leaving the group: the broker did not answer", topic=self._topic)

    def _ask_again(self) -> None:
        """Librdkafka tells an error once, and says nothing when it is over: to begin anew brings it up again, or the
        end of what can be read.
        """
        if self._failing and time.monotonic() >= self._ask_again_at:
            self._ask_again_at = time.monotonic() + _ASK_AGAIN_SECONDS
            self._read_on()

    def _read_on(self) -> None:
        # All at once, not by seek(): a partition whose offset was out of range cannot be sought any more.
        self._consumer.assign([TopicPartition(self._topic, place, offset) for place, offset in self._next.items()])

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._own({place.partition for place in partitions})
        self.joined = True
        consumer.assign([])

    def _revoked(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._own(set())
        self.joined, self._due_at = False, time.monotonic() + _REBALANCE_SECONDS
        consumer.unassign()

    def _own(self, partitions: set[int]) -> None:
        self.owned, self.held, self.out_of_range, self._next = partitions, set(partitions), set(), {}
        self._failing = {}

    def _failed(self, error: KafkaError, partition: int) -> None:
        if error.code() in _OUT_OF_RANGE and partition in self.owned:
            self.hold([partition])
            self.out_of_range.add(partition)
            self.watch.hurry()
        elif _is_end(error):
            self._is_read(partition)
        elif partition in self.owned or partition == _ALL:
            if not self._failing:
                self._ask_again_at = time.monotonic() + _ASK_AGAIN_SECONDS
            self._failing[partition] = error_words(error)

    def _is_read(self, partition: int) -> None:
        self._failing.pop(partition, None)
        self._failing.pop(_ALL, None)


def _is_end(error: KafkaError | None) -> bool:
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - its public name
