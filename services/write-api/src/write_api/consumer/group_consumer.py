"""A consumer that is a member of a group: it receives batches, and commits offsets only on request.

Only one thread at a time may call its methods, all of which block but `commit`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from cheeper_contracts.kafka.groups import consumer_group
from cheeper_contracts.kafka.topics import Topic
from cheeper_runtime.servers.kafka import KafkaConnection, known
from write_api.bus.errors import UnavailableError
from write_api.bus.unit_of_work import LogState
from write_api.consumer.load import Load
from write_api.consumer.message import ConsumedMessage, received
from write_api.kafka.errors import ALL_BROKERS_DOWN, COMMIT_LOST
from write_api.kafka.topics import SECONDS

_POLL_SECONDS: Final = 0.1
_JOIN_SECONDS: Final = 6.0
_COMMIT_SECONDS: Final = 0.5
"""The time between two commits of a busy consumer: each is a message that the broker keeps."""

Start = Callable[[Mapping[int, LogState]], Mapping[int, int]]
"""Returns the offset to read from, by partition. It may block, and raises UnavailableError or TimeoutError."""

log = structlog.get_logger()


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """The topic that a role consumes, and the maximum number of messages in a batch."""

    role: str
    topic: Topic
    batch: int

    @property
    def group(self) -> str:
        """The consumer group of the role's processes."""
        return consumer_group(self.role)


def consumer_config(subscription: Subscription, kafka: KafkaConnection, topic_prefix: str) -> dict[str, Any]:
    """Return librdkafka's settings for a consumer of the role's group."""
    return {
        **kafka.client_settings(),
        "client.id": f"write-api-{subscription.role}",
        "group.id": topic_prefix + subscription.group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        # Kafka's minimum; Tansu lets the first member of a group wait for half of it.
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 1500,
        "fetch.wait.max.ms": 250,  # at rest, a request each time; Tansu answers at half of it, also if it has messages
        "queued.max.messages.kbytes": 16_384,  # bounds what is fetched while a batch cannot be handled
        "log_level": 2,
    }


class GroupConsumer:
    """A member of a consumer group.

    A member that waits longer than max.poll.interval.ms loses its partitions to another one, and may or may not have
    handled its batch: commands are idempotent. It rejoins with the next `receive`.

    The topic's id is committed with each offset. An offset that was committed for an older topic of that name means
    nothing for this one, which is then read from its beginning. Tansu stores no such metadata, and no offset of a topic
    that it lost.

    `start` takes what the broker has of the assigned partitions, and returns the offsets to read from. Without it those
    are the committed ones.

    `assignment` has the assigned partitions, each with the offset at which it starts, or None if none was committed.
    `joined` is true while the group has assigned partitions, even an empty set because it has more members.

    `was_disconnected` is true once there was no broker. A broker may come back as a copy of an earlier day, and then
    this member may read nothing more: librdkafka keeps the epoch of each partition's leader and ignores a lower one.
    """

    def __init__(
        self,
        subscription: Subscription,
        kafka: KafkaConnection,
        topic_prefix: str,
        topic_id: str,
        start: Start | None = None,
    ) -> None:
        self.joined = False
        self.was_disconnected = False
        self.assignment: dict[int, int | None] = {}
        self._topic_id = topic_id
        self._partitions = subscription.topic.partitions
        self._start = start
        self._failure: Exception | None = None
        self._commits_in_flight = 0
        self._to_commit: dict[tuple[str, int], int] = {}
        self._committed_at = -_COMMIT_SECONDS
        self._load = Load()
        config = consumer_config(subscription, kafka, topic_prefix)
        self._consumer = Consumer({**config, "on_commit": self._on_commit, "error_cb": self._on_error})
        self._consumer.subscribe(
            [subscription.topic.named(topic_prefix)], on_assign=self._on_assign, on_revoke=self._on_revoke
        )

    def receive(self, limit: int) -> list[ConsumedMessage]:
        """Return the next messages, at most `limit`, or an empty list after a tenth of a second without any. While the
        caller is busy, collect some for a few milliseconds: a batch costs its fixed part however small it is.

        Raise KafkaException, also for an earlier `commit`, and whatever `start` raised.
        """
        self._commit_if_due()
        with self._load.waiting():
            first = self._consumer.poll(_POLL_SECONDS)
        if self._failure is not None:
            raise self._failure
        if first is None:
            return []
        with self._load.waiting():
            more = self._consumer.consume(limit - 1, self._load.collect_seconds) if limit > 1 else []
        good = []
        for message in (first, *more):
            error = message.error()
            if error is None:
                good.append(received(message))
            elif not good:
                raise KafkaException(error)
            else:  # librdkafka reports it once, so the next call raises it
                self._failure = KafkaException(error)
        return good

    def commit(self, messages: Sequence[ConsumedMessage]) -> None:
        """Commit the offsets behind these messages, or leave that to a later call if the last commit is too recent.

        It does not wait for the response, which `receive` handles. While the broker is unavailable there is none; then
        the response waits for the group's next rebalance, which only `receive` serves. Waiting for it here would never
        end.
        """
        self._to_commit |= {(message.topic, message.partition): message.offset + 1 for message in messages}
        self._commit_if_due()

    def _commit_if_due(self) -> None:
        if self._to_commit and time.monotonic() >= self._committed_at + _COMMIT_SECONDS:
            self._commit_now()

    def _commit_now(self) -> None:
        if not self._to_commit:
            return
        offsets = [TopicPartition(*partition, offset, self._topic_id) for partition, offset in self._to_commit.items()]
        self._to_commit, self._committed_at = {}, time.monotonic()
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
            self._commits_in_flight += 1
        except KafkaException as error:
            self._check_commit(error.args[0])

    def close(self) -> None:
        """Commit what is left and leave the group, after waiting some seconds until it is joined and has responded.

        Tansu takes a member that leaves during its join for the leader for ever, and then assigns no partitions. And
        librdkafka waits for the response to a commit for as long as the broker is unavailable (its issue 3740): such a
        consumer is only dropped, and the group removes it after the session time-out.
        """
        self._commit_now()
        deadline = time.monotonic() + _JOIN_SECONDS
        with suppress(KafkaException, UnavailableError, TimeoutError):  # which would hide the reason for closing
            while (self._commits_in_flight or not self.joined) and time.monotonic() < deadline:
                self._consumer.poll(_POLL_SECONDS)
        if self._commits_in_flight:
            del self._consumer
        else:
            self._consumer.close()

    def _on_commit(self, error: KafkaError | None, _partitions: list[TopicPartition]) -> None:
        self._commits_in_flight -= 1
        self._check_commit(error)

    def _check_commit(self, error: KafkaError | None) -> None:
        if error is None:
            return
        if error.code() in COMMIT_LOST:  # the next owner of the partitions handles the batch again, which is harmless
            log.info("batch handled, offsets not committed", reason=error.str())
        else:
            self._failure = KafkaException(error)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == ALL_BROKERS_DOWN:
            self.was_disconnected = True

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        self.joined = True
        try:
            self._assign(consumer, assigned)
        # An error of the broker that leaves a callback becomes one that no `except` matches: it would end the thread.
        except Exception as error:  # noqa: BLE001 - `receive` raises it
            self._failure = error

    def _assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        partitions = [each for each in assigned if each.partition < self._partitions]  # no message is in any other
        log.info("partitions assigned", partitions=sorted(partition.partition for partition in partitions))
        committed = consumer.committed(partitions, timeout=SECONDS) if partitions else []
        for partition in committed:
            if partition.error is not None:
                raise KafkaException(partition.error)
            if partition.metadata and partition.metadata != self._topic_id:
                partition.offset = OFFSET_BEGINNING
        if self._start is not None and committed:
            starts = self._start({each.partition: _state_of(consumer, each) for each in committed})
            for partition in committed:
                partition.offset = starts[partition.partition]
        self.assignment = {each.partition: each.offset if each.offset >= 0 else None for each in committed}
        consumer.assign(committed)

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit_now()  # the group waits for the member that gives them up
        self.joined = False
        self.assignment = {}
        log.info("partitions revoked", partitions=sorted(partition.partition for partition in partitions))


def _state_of(consumer: Consumer, committed: TopicPartition) -> LogState:
    marks = consumer.get_watermark_offsets(committed, timeout=SECONDS)
    if marks is None:
        raise TimeoutError("the broker did not return the end of a partition in time")
    end = known({committed.partition: marks[1]})[committed.partition]
    return LogState(committed.offset if committed.offset >= 0 else None, end)
