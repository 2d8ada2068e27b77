"""The partitions of a topic that a consumer group assigned to this process, and their messages.

The caller decides where to read: a partition is paused from the moment it is assigned until `read_from` is called. For
the event log a store's checkpoint decides it, and the group's offsets, stored after the messages are done, only show
the lag; where no store keeps a checkpoint, those offsets decide it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from cheeper_contracts.partitions import PARTITIONS
from projector.kafka.linger import Linger
from projector.kafka.topic import TopicWatch, error_words

log = structlog.get_logger()

BEGINNING: Final = OFFSET_BEGINNING

# librdkafka's own codes; confluent_kafka documents them under these names, with the underscore of librdkafka's enum.
_OUT_OF_RANGE: Final = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # noqa: SLF001
_PARTITION_EOF: Final = KafkaError._PARTITION_EOF  # noqa: SLF001
_ALL_BROKERS_DOWN: Final = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001
PATIENCE: Final = 0.1
"""Seconds that a consumer with nothing else to do waits for messages."""
_BATCH: Final = 500
_JOIN_SECONDS: Final = 6.0
_CLOSE_SECONDS: Final = 8.0
_RETRY_SECONDS: Final = 1.0
_REBALANCE_SECONDS: Final = 3.0
_ALL: Final = -1  # librdkafka's partition of an error that concerns all of them


class Assignment:
    """The partitions that are assigned to this process, and their messages.

    Of those `assigned`, the ones in `paused` wait for `read_from`. Among these, the ones in `out_of_range` were to be
    read at an offset that the log does not have, so that only its beginning is left. `joined` is true once the group
    has assigned partitions, even if none to this process.
    """

    def __init__(self, settings: dict[str, Any], topic: str, watch: TopicWatch) -> None:
        self.assigned: set[int] = set()
        self.paused: set[int] = set()
        self.out_of_range: set[int] = set()
        self.topic = watch
        self.joined = False
        self._join_by = 0.0  # when it should have joined the group after a rebalance
        self._errors: dict[int, str] = {}  # why partitions cannot be read, or all of them under _ALL
        self._retry_at = 0.0
        self._offsets: dict[int, int] = {}  # the next offset of each partition that is read
        self._name = topic
        self._settings = {**settings, "error_cb": self._on_error}
        self._disconnected = False  # from the loss of the last connection until the broker describes the topic again
        self._linger = Linger()
        self._consumer = self._new_consumer()

    @property
    def error(self) -> str | None:
        """The reason why nothing can be read, if there is one."""
        if self.topic.error:
            return self.topic.error
        if not self.joined and time.monotonic() >= self._join_by:
            return "has no place in its group"
        return next(iter(self._errors.values()), None)

    def poll_topic(self) -> bool:
        """Return True, with no partition assigned, if the topic was replaced by another one of its name.

        A new client joins the group then, and after a time without any broker, which may have come back as a copy of an
        earlier day. librdkafka keeps the epoch of each partition's leader, and reads nothing while the broker's is
        lower. Nor does it join the group again if a new topic has as many partitions as the old one.
        """
        replaced = self.topic.poll()
        if replaced:
            log.warning("the topic is another one: reading it from its beginning", topic=self._name)
        if replaced or (self._disconnected and self.topic.error is None):
            self._revoked()
            self._disconnected = False
            old, self._consumer = self._consumer, self._new_consumer()
            _close(old)
        return replaced

    def poll(self, seconds: float) -> dict[int, list[Message]]:
        """Return messages by partition, in order: those that are there, else the first within the time. While this
        process is busy, those that come within the next few milliseconds are among them.
        """
        self._retry()
        by_partition: dict[int, list[Message]] = {}
        for message in self._wait(seconds):
            partition, offset, error = cast("int", message.partition()), message.offset(), message.error()
            if error is not None:
                self._failed(error, partition)
            elif partition in self._offsets and offset is not None:
                self._offsets[partition] = offset + 1
                by_partition.setdefault(partition, []).append(message)
                self._recovered(partition)
        return by_partition

    def _wait(self, seconds: float) -> list[Message]:
        self._linger.worked()
        try:
            first = self._consumer.poll(seconds)
            if first is None:
                return []
            return [first, *self._consumer.consume(_BATCH - 1, timeout=min(seconds, self._linger.seconds))]
        finally:
            self._linger.waited()

    def read_from(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on, if they are still assigned."""
        ours = {partition: offset for partition, offset in offsets.items() if partition in self.assigned}
        self._offsets |= ours
        self.paused -= set(ours)
        self.out_of_range -= set(ours)
        self._assign()

    def pause(self, partitions: Iterable[int]) -> None:
        """Read nothing more of these partitions until `read_from` is called."""
        for partition in set(partitions) & self.assigned:
            self.paused.add(partition)
            self._offsets.pop(partition, None)
        self._assign()

    def idle(self, seconds: float) -> None:
        """Stay in the group for this time without reading, for instance while a store is unavailable."""
        reading = [TopicPartition(self._name, partition) for partition in self._offsets]
        self._consumer.pause(reading)
        message = self._consumer.poll(seconds)
        if message is not None and not _is_end(message.error()):
            # A message that was on its way is not lost: it is read again once the partition is started again.
            self.pause([cast("int", message.partition())])
        self._consumer.resume([each for each in reading if each.partition in self._offsets])

    def store_offset(self, partition: int, offset: int) -> None:
        """Store for the group that messages up to this offset are done, and of which topic they are."""
        if partition in self._offsets:
            stored = TopicPartition(self._name, partition, offset + 1, self.topic.topic_id or "")
            self._consumer.store_offsets(offsets=[stored])

    def committed(self, partitions: Iterable[int], seconds: float) -> dict[int, int]:
        """Return the group's offsets in this very topic, BEGINNING for one that has none. Raise KafkaException."""
        found = self._consumer.committed([TopicPartition(self._name, each) for each in partitions], timeout=seconds)
        for each in found:
            if each.error is not None:
                raise KafkaException(each.error)
        # An offset of a topic that was wiped means nothing in the one made anew.
        return {
            each.partition: each.offset if each.offset >= 0 and each.metadata == self.topic.topic_id else BEGINNING
            for each in found
        }

    def close(self) -> None:
        """Leave the group. If it is not joined yet, wait some seconds for that.

        Tansu takes one that leaves before its join is answered for the group's leader for ever, and then assigns no
        partitions to anybody. And librdkafka waits for the response to a commit as long as the broker is unavailable,
        for ever if need be (its issue 3740): such a consumer is abandoned, and the group misses it after the session's
        time.
        """
        deadline = time.monotonic() + _JOIN_SECONDS
        while not self.joined and time.monotonic() < deadline:
            self._consumer.poll(PATIENCE)
        closing = _close(self._consumer)
        closing.join(_CLOSE_SECONDS)
        if closing.is_alive():
            log.warning("ended without leaving the group: the broker did not answer", topic=self._name)

    def _new_consumer(self) -> Consumer:
        consumer = Consumer(self._settings, logger=logging.getLogger("librdkafka"))
        consumer.subscribe([self._name], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)
        return consumer

    def _retry(self) -> None:
        """Assign the failing partitions anew now and then: librdkafka reports an error once and never its end, but
        after this it reports the error again, or a message, or the end of the partition.
        """
        if self._errors and time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            self._assign()

    def _assign(self) -> None:
        # All at once, not by seek(): a partition whose offset was out of range cannot be sought any more.
        reading = [TopicPartition(self._name, each, offset) for each, offset in self._offsets.items()]
        self._consumer.assign(reading)
        self._consumer.resume(reading)  # librdkafka keeps what `idle` paused before a rebalance paused after it

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if consumer is not self._consumer:
            return
        self._replace_assigned({each.partition for each in partitions if each.partition < PARTITIONS})
        self.joined = True
        consumer.assign([])

    def _on_revoke(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        consumer.unassign()
        if consumer is self._consumer:
            self._revoked()

    def _revoked(self) -> None:
        self._replace_assigned(set())
        self.joined, self._join_by = False, time.monotonic() + _REBALANCE_SECONDS

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == _ALL_BROKERS_DOWN:
            self._disconnected = True
            self.topic.disconnected(error)

    def _replace_assigned(self, partitions: set[int]) -> None:
        self.assigned, self.paused, self.out_of_range = partitions, set(partitions), set()
        self._offsets, self._errors = {}, {}

    def _failed(self, error: KafkaError, partition: int) -> None:
        if error.code() in _OUT_OF_RANGE and partition in self.assigned:
            self.pause([partition])
            self.out_of_range.add(partition)
            self.topic.hurry()
        elif _is_end(error):
            self._recovered(partition)
        elif partition in self.assigned or partition == _ALL:
            if not self._errors:
                self._retry_at = time.monotonic() + _RETRY_SECONDS
            self._errors[partition] = error_words(error)

    def _recovered(self, partition: int) -> None:
        self._errors.pop(partition, None)
        self._errors.pop(_ALL, None)


def _close(consumer: Consumer) -> threading.Thread:
    """Leave the group in a thread of its own, and return the thread."""
    closing = threading.Thread(target=consumer.close, name="closing", daemon=True)
    closing.start()
    return closing


def _is_end(error: KafkaError | None) -> bool:
    return error is not None and error.code() == _PARTITION_EOF
