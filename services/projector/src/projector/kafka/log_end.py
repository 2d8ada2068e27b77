"""The log end of each partition, as the broker reports it, and how much of the log a store has."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from threading import Event as Flag
from threading import Lock
from typing import Final

import structlog
from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import OffsetSpec

from cheeper_contracts.partitions import PARTITIONS
from cheeper_runtime.servers.kafka import known
from projector.kafka.topic import Connect
from projector.stores.base import Checkpoint, StoreUnavailableError

log = structlog.get_logger()

PERIOD: Final = 1.0
_SECONDS: Final = 3.0
_KEPT: Final = 10_000


class LogEndHistory:
    """The log ends as they were read, each with its time by `clock`, in seconds. Any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._read: dict[int, list[tuple[float, int]]] = {}

    def record(self, ends: Mapping[int, int]) -> None:
        """Record the next offset of each partition, as the broker reported it now."""
        now = self._clock()
        with self._lock:
            for partition, end in ends.items():
                read = self._read.setdefault(partition, [])
                if read and read[-1][1] > end:
                    read.clear()  # another log
                if not read or read[-1][1] < end:
                    read.append((now, end))
                if len(read) > _KEPT:
                    del read[1 : _KEPT // 2]

    def end(self, partition: int) -> int | None:
        """Return the next offset, None before the first record."""
        with self._lock:
            read = self._read.get(partition)
            return read[-1][1] if read else None

    def since(self, partition: int, offset: int) -> tuple[float, bool] | None:
        """Return when the message of that offset was first seen to exist, and whether by the very first record, so that
        it may be older. Return None if it does not exist.
        """
        with self._lock:
            read = self._read.get(partition, [])
            at = bisect_right(read, offset, key=lambda each: each[1])
            return (read[at][0], at == 0) if at < len(read) else None


class LogEnd:
    """The first and the next offset of each partition of a topic."""

    def __init__(self, connect: Connect, topic: str) -> None:
        self._connect = connect
        self._admin = connect()
        self._topic = topic

    def topic_id(self) -> str:
        """Return the topic's id. Raise StoreUnavailableError."""
        try:
            described = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_SECONDS)
            return str(described[self._topic].result(_SECONDS * 2).topic_id)
        except (KafkaException, TimeoutError) as error:
            self._admin = self._connect()  # as a TopicWatch does
            raise StoreUnavailableError(f"the broker does not describe {self._topic}: {error}") from error

    def ends(self) -> dict[int, tuple[int, int]]:
        """Return the first and the next offset by partition. Raise StoreUnavailableError."""
        first, end = self._offsets(OffsetSpec.earliest()), self.latest()  # type: ignore[no-untyped-call]
        return {partition: (first[partition], end[partition]) for partition in range(PARTITIONS)}

    def latest(self) -> dict[int, int]:
        """Return the next offset by partition. Raise StoreUnavailableError."""
        return self._offsets(OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def _offsets(self, spec: OffsetSpec) -> dict[int, int]:
        wanted = {TopicPartition(self._topic, partition): spec for partition in range(PARTITIONS)}
        try:
            responses = self._admin.list_offsets(wanted, request_timeout=_SECONDS)
            return known({each.partition: response.result(_SECONDS * 2).offset for each, response in responses.items()})
        except (KafkaException, TimeoutError) as error:
            self._admin = self._connect()
            raise StoreUnavailableError(f"the broker does not report the end of {self._topic}: {error}") from error


def follow(history: LogEndHistory, log_end: LogEnd, stop: Flag, period: float = PERIOD) -> None:
    """Record the log ends every `period` seconds until stopped. While the broker is unavailable, the last ones stay."""
    while not stop.is_set():
        try:
            history.record(log_end.latest())
        except StoreUnavailableError as error:
            log.debug("the log end is unknown", reason=str(error))
        stop.wait(period)


def done_of(
    checkpoints: Mapping[int, Checkpoint], ends: Mapping[int, tuple[int, int]], topic_id: str
) -> tuple[int, int]:
    """Return how many of the log's messages these checkpoints are past, and the number of all."""
    done = total = 0
    for partition, (first, end) in ends.items():
        total += end - first
        stored = checkpoints.get(partition, Checkpoint())
        if stored.topic_id == topic_id:
            done += min(max(stored.offset + 1 - first, 0), end - first)
    return done, total
