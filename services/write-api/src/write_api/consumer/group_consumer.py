"""A member of a consumer group: gives batches, and commits offsets when told to and never otherwise.

All methods block; one thread at a time may call them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, cast

import msgspec
import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from cheeper_contracts.topics import Topic
from write_api.consumer.message import Received
from write_api.kafka.topics import SECONDS

_POLL_SECONDS: Final = 0.1
_JOIN_SECONDS: Final = 6.0
_COMMIT_LOST: Final = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001 - librdkafka's own codes begin so
    KafkaError._STATE,  # noqa: SLF001 - as above
    KafkaError._NO_OFFSET,  # noqa: SLF001 - as above
    KafkaError._WAIT_COORD,  # noqa: SLF001 - as above
}
"""Another process has these partitions by now, or nobody while the broker is away: whoever has them next does the batch
again, which is harmless.
"""

_Pairs = list[tuple[str, bytes | None]]  # as librdkafka always gives headers; the stubs allow what may be sent too

log = structlog.get_logger()


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a role consumes: the topic, and at most how many messages are taken at a time."""

    role: str
    topic: Topic
    batch: int

    @property
    def group(self) -> str:
        """The consumer group of the role's processes."""
        return f"cheeper.{self.role}"


def member_settings(subscription: Subscription, bootstrap_servers: str, topic_prefix: str) -> dict[str, Any]:
    """Librdkafka's settings for a member of the role's group."""
    return {
        "bootstrap.servers": bootstrap_servers,
        "client.id": f"write-api-{subscription.role}",
        "group.id": topic_prefix + subscription.group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        # Kafka's least; Tansu lets the first member of a group wait for half of it.
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 1500,
        "fetch.wait.max.ms": 100,
        "queued.max.messages.kbytes": 16_384,  # while the database is away and nothing is taken from it
        "log_level": 2,
    }


class Member:
    """A process of a group.

    One that waits for a server beyond max.poll.interval.ms loses its partitions to another one, and does or does not
    handle its batch as well: commands are idempotent. It rejoins with the next `receive`.
    `topic_id` is told with each offset: one that was committed for another topic of that name, which was wiped, means
    nothing in this one, which is read from its beginning. Tansu keeps no such note, nor any offset of a topic it lost.
    `assignment`: its partitions, each with the offset that it began or begins at; none where none was committed.
    `joined`: it is in the group and has its partitions, of which there are none where the group has more members.
    """

    def __init__(self, subscription: Subscription, bootstrap_servers: str, topic_prefix: str, topic_id: str) -> None:
        self._topic_id = topic_id
        self.joined = False
        self._refused: KafkaError | None = None
        self._unanswered = 0  # commits
        self.assignment: dict[int, int | None] = {}
        settings = member_settings(subscription, bootstrap_servers, topic_prefix)
        self._consumer = Consumer({**settings, "on_commit": self._answered})
        self._consumer.subscribe(
            [subscription.topic.named(topic_prefix)], on_assign=self._assigned, on_revoke=self._revoked
        )

    def receive(self, limit: int) -> list[Received]:
        """The next messages, as many as are there and at most `limit`; none after a tenth of a second without any.

        Raises KafkaException, for an earlier `commit` too.
        """
        first = self._consumer.poll(_POLL_SECONDS)
        if self._refused is not None:
            raise KafkaException(self._refused)
        if first is None:
            return []
        more = self._consumer.consume(limit - 1, 0) if limit > 1 else []
        good = []
        for message in (first, *more):
            error = message.error()
            if error is None:
                good.append(_received(message))
            elif not good:
                raise KafkaException(error)
            else:  # librdkafka tells it once
                self._refused = error
        return good

    def commit(self, messages: Sequence[Received]) -> None:
        """Say that all up to and with these messages is done.

        It waits for no answer, which `receive` looks at. While the broker is away a commit has none; when it is back,
        the answer waits for the group's next rebalance, which only `receive` serves: one that waited would do so for
        ever, outside of the group.
        """
        following = {(message.topic, message.partition): message.offset + 1 for message in messages}
        offsets = [TopicPartition(*place, offset, self._topic_id) for place, offset in following.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
            self._unanswered += 1
        except KafkaException as error:
            self._committed(error.args[0])

    def close(self) -> None:
        """Leave the group, once it is joined and has answered: for some seconds that is waited for, and what comes is
        handled by others.

        Tansu takes one that leaves before its join is answered for the group's leader for ever, and then gives nobody
        any partitions. And librdkafka waits for the answer to a commit as long as the broker is away, for ever if need
        be (its issue 3740): such a consumer is only dropped, and the group misses it after the session's time.
        """
        deadline = time.monotonic() + _JOIN_SECONDS
        with suppress(KafkaException):  # which would hide why the member is closed
            while (self._unanswered or not self.joined) and time.monotonic() < deadline:
                self._consumer.poll(_POLL_SECONDS)
        if self._unanswered:
            del self._consumer
        else:
            self._consumer.close()

    def _answered(self, error: KafkaError | None, _places: list[TopicPartition]) -> None:
        self._unanswered -= 1
        self._committed(error)

    def _committed(self, error: KafkaError | None) -> None:
        if error is None:
            return
        if error.code() in _COMMIT_LOST:
            log.info("the batch is handled, and its offsets are not committed", why=error.str())
        else:
            self._refused = error

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.joined = True
        log.info("partitions assigned", partitions=sorted(partition.partition for partition in partitions))
        committed = consumer.committed(partitions, timeout=SECONDS) if partitions else []
        for place in committed:
            if place.error is not None:
                raise KafkaException(place.error)
            if place.metadata and place.metadata != self._topic_id:
                place.offset = OFFSET_BEGINNING
        self.assignment = {place.partition: place.offset if place.offset >= 0 else None for place in committed}
        consumer.assign(committed)

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.joined = False
        self.assignment = {}
        log.info("partitions revoked", partitions=sorted(partition.partition for partition in partitions))


def _received(message: Message) -> Received:
    kind, sent_at = message.timestamp()
    return Received(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=_text(message.key()),
        headers=[(name, _bytes(value)) for name, value in cast("_Pairs", message.headers() or [])],
        value=None if message.value() is None else _bytes(message.value()),
        timestamp=None if kind == TIMESTAMP_NOT_AVAILABLE else sent_at,
    )


def _text(key: str | bytes | None) -> str | None:
    return None if key is None else _bytes(key).decode(errors="replace")


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
