"""How far the log reaches: asked of the broker, once or all the time, and how far a checkpoint is in it."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event as Flag
from threading import Thread
from typing import Final

import structlog
from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from cheeper_contracts.partitions import PARTITIONS
from projector.ops.log_end_history import LogEndHistory
from projector.stores.base import Checkpoint, StoreUnavailableError

log = structlog.get_logger()

PERIOD: Final = 1.0
_SECONDS: Final = 10.0


class EventLogEnds:
    """The first and the next offset of each partition, as the broker has them now."""

    def __init__(self, admin: AdminClient, topic: str) -> None:
        self._admin = admin
        self._topic = topic

    def topic_id(self) -> str:
        """The topic's id. Raises StoreUnavailableError."""
        try:
            described = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_SECONDS)
            return str(described[self._topic].result(_SECONDS).topic_id)
        except (KafkaException, TimeoutError) as error:
            raise StoreUnavailableError(f"the broker does not tell of {self._topic}: {error}") from error

    def ends(self) -> dict[int, tuple[int, int]]:
        """By partition. Raises StoreUnavailableError."""
        first, behind = self._offsets(OffsetSpec.earliest()), self.latest()  # type: ignore[no-untyped-call]
        return {partition: (first[partition], behind[partition]) for partition in range(PARTITIONS)}

    def latest(self) -> dict[int, int]:
        """The next offset by partition. Raises StoreUnavailableError."""
        return self._offsets(OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def _offsets(self, which: OffsetSpec) -> dict[int, int]:
        wanted = {TopicPartition(self._topic, partition): which for partition in range(PARTITIONS)}
        try:
            answers = self._admin.list_offsets(wanted, request_timeout=_SECONDS)
            return {place.partition: answer.result(_SECONDS).offset for place, answer in answers.items()}
        except (KafkaException, TimeoutError) as error:
            raise StoreUnavailableError(f"the broker does not tell how far {self._topic} reaches: {error}") from error


def watch(seen: LogEndHistory, ends: EventLogEnds, stop: Flag, period: float = PERIOD) -> Thread:
    """Looks every `period` seconds, in a thread of its own. While the broker does not answer, the last look stands."""

    def look() -> None:
        while not stop.is_set():
            try:
                seen.record(ends.latest())
            except StoreUnavailableError as error:
                log.debug("the ends of the log are not told", why=str(error))
            stop.wait(period)

    thread = Thread(target=look, name="log-ends", daemon=True)
    thread.start()
    return thread


def done_of(
    checkpoints: Mapping[int, Checkpoint], ends: Mapping[int, tuple[int, int]], topic_id: str
) -> tuple[int, int]:
    """How many messages of the log these checkpoints are past, and how many there are."""
    done = total = 0
    for partition, (first, behind) in ends.items():
        total += behind - first
        stored = checkpoints.get(partition, Checkpoint())
        if stored.topic_id == topic_id:
            done += min(max(stored.offset + 1 - first, 0), behind - first)
    return done, total
