"""The lag of a consumer: in messages up to the high-water marks, and in seconds by the oldest message in flight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog
from confluent_kafka import KafkaException

from write_api.bus.errors import UnavailableError
from write_api.consumer.message import ConsumedMessage
from write_api.db.consumer_checkpoints import Backlog
from write_api.kafka.topics import TopicAdmin
from write_api.ops.metrics import ConsumerMetrics

_POLL_SECONDS: Final = 2.0

log = structlog.get_logger()


class Lag:
    """Measures the lag beside the consumer loop, so that it is exposed also while a batch cannot be handled.

    `count_dead_letters` returns the number of parked messages, `read_backlog` what is overdue; both raise
    UnavailableError.
    """

    def __init__(
        self,
        topic: TopicAdmin,
        count_dead_letters: Callable[[], Awaitable[int]],
        metrics: ConsumerMetrics,
        read_backlog: Callable[[], Awaitable[Backlog]] | None = None,
    ) -> None:
        self._topic = topic
        self._read_backlog = read_backlog
        self._count_dead_letters = count_dead_letters
        self._metrics = metrics
        self._next: dict[int, int | None] = {}
        self._oldest: float | None = None
        metrics.lag_seconds_from(self._seconds)

    def assigned(self, assignment: Mapping[int, int | None]) -> None:
        """Set the assigned partitions, each with the offset of its next message, or None if that is unknown."""
        self._next = dict(assignment)
        self._oldest = None

    def received(self, messages: Sequence[ConsumedMessage]) -> None:
        """Set the messages in flight, which are none at the end of the log."""
        times = [message.timestamp for message in messages if message.timestamp is not None]
        self._oldest = min(times) / 1000 if times else None

    def consumed(self, messages: Sequence[ConsumedMessage]) -> None:
        """Advance behind these messages. The oldest one counts until the next poll shows what is left."""
        for message in messages:
            if message.partition in self._next:
                self._next[message.partition] = message.offset + 1
        self._metrics.consumed(len(messages))

    async def watch(self) -> None:
        """Poll until cancelled. While a server is unavailable its metrics keep their last values."""
        while True:
            await self.poll()
            await asyncio.sleep(_POLL_SECONDS)

    async def poll(self) -> None:
        """Read the high-water marks and count the dead letters once."""
        try:
            first, ends = await asyncio.to_thread(self._offsets)
            self._metrics.lag(self._messages(first, ends))
        except (KafkaException, TimeoutError) as error:
            log.debug("lag unavailable", reason=type(error).__name__)
        try:
            self._metrics.dead_letters(self._topic.topic.name, await self._count_dead_letters())
            if self._read_backlog is not None:
                backlog = await self._read_backlog()
                self._metrics.backlog(backlog.overdue, backlog.replaced_at)
        except UnavailableError as error:
            log.debug("the database is unavailable", reason=str(error))

    def _offsets(self) -> tuple[Mapping[int, int], Mapping[int, int]]:
        return self._topic.first_offsets(), self._topic.high_water_marks()

    def _messages(self, first: Mapping[int, int], ends: Mapping[int, int]) -> int:
        following = {partition: first.get(partition, 0) if at is None else at for partition, at in self._next.items()}
        return sum(max(0, ends.get(partition, 0) - at) for partition, at in following.items())

    def _seconds(self) -> float:
        oldest = self._oldest
        return 0.0 if oldest is None else max(0.0, time.time() - oldest)
