"""How far a consumer is behind: in messages, by the ends of its partitions, and in seconds, by what it has in hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog
from confluent_kafka import KafkaException

from write_api.bus.errors import UnavailableError
from write_api.consumer.message import Received
from write_api.ops.metrics import ConsumerMetrics

_LOOK_SECONDS: Final = 2.0

Ends = Callable[[], tuple[Mapping[int, int], Mapping[int, int]]]
"""The first and the next offset of each partition of the topic, as the broker says. Blocks, raises KafkaException."""

log = structlog.get_logger()


class Lag:
    """Kept beside the consumer's course, so that it is told also while a batch cannot be handled.

    `waiting` gives how many letters of `topic` wait among the dead letters; it raises UnavailableError.
    """

    def __init__(self, topic: str, ends: Ends, waiting: Callable[[], Awaitable[int]], metrics: ConsumerMetrics) -> None:
        self._topic = topic
        self._ends = ends
        self._waiting = waiting
        self._metrics = metrics
        self._next: dict[int, int | None] = {}
        self._oldest: float | None = None
        metrics.seconds_from(self._seconds)

    def assigned(self, following: Mapping[int, int | None]) -> None:
        """These are the process's partitions now, each with the offset of its next message, if that is known."""
        self._next = dict(following)
        self._oldest = None

    def received(self, messages: Sequence[Received]) -> None:
        """These are in hand now; none when all that was there is done."""
        times = [message.timestamp for message in messages if message.timestamp is not None]
        self._oldest = min(times) / 1000 if times else None

    def done(self, messages: Sequence[Received]) -> None:
        """These are done. The oldest is still told of until more were asked for: only then it is clear what is left."""
        for message in messages:
            if message.partition in self._next:
                self._next[message.partition] = message.offset + 1
        self._metrics.done(len(messages))

    async def watch(self) -> None:
        """Look again and again until this is cancelled. A server that is away leaves what was seen last."""
        while True:
            try:
                first, ends = await asyncio.to_thread(self._ends)
                self._metrics.lag(self._behind(first, ends))
            except (KafkaException, TimeoutError) as error:
                log.debug("the lag cannot be seen", why=type(error).__name__)
            try:
                self._metrics.letters(self._topic, await self._waiting())
            except UnavailableError as error:
                log.debug("the dead letters cannot be counted", why=str(error))
            await asyncio.sleep(_LOOK_SECONDS)

    def _behind(self, first: Mapping[int, int], ends: Mapping[int, int]) -> int:
        places = {partition: first.get(partition, 0) if at is None else at for partition, at in self._next.items()}
        return sum(max(0, ends.get(partition, 0) - at) for partition, at in places.items())

    def _seconds(self) -> float:
        oldest = self._oldest
        return 0.0 if oldest is None else max(0.0, time.time() - oldest)
