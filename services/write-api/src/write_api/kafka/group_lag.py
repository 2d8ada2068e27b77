"""The lag of a group that keeps its checkpoints elsewhere, as another process sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import structlog
from confluent_kafka import KafkaException

from write_api.bus.errors import UnavailableError
from write_api.kafka.topics import TopicAdmin, TopicMismatchError

POLL_SECONDS: Final = 1.0
_CHECKPOINTS_SECONDS: Final = 3.0

ReadCheckpoints = Callable[[str, Collection[int]], Awaitable[Mapping[int, int]]]

log = structlog.get_logger()


class GroupLag:
    """Polls how many messages of a topic its consumers have not handled, whether any of them runs or not.

    `read` returns the next offset of each of these partitions that has a checkpoint in the topic with that id, or
    raises UnavailableError. Each of `receivers` is called with the lag, or with None if it is unknown.
    """

    def __init__(
        self, topic: TopicAdmin, read: ReadCheckpoints, receivers: Sequence[Callable[[int | None], None]]
    ) -> None:
        self._topic = topic
        self._read = read
        self._receivers = receivers

    async def watch(self) -> None:
        """Poll until cancelled. From then on the lag is unknown."""
        try:
            while True:
                await self.poll()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            self._report(None)

    async def poll(self) -> None:
        """Read the log's ends and the checkpoints once."""
        lag = None
        try:
            lag = await self._measure()
        except (KafkaException, TopicMismatchError, TimeoutError, UnavailableError) as error:
            log.debug("the group's lag is unknown", topic=self._topic.name, reason=type(error).__name__)
        self._report(lag)

    async def _measure(self) -> int | None:
        topic_id = await asyncio.to_thread(self._topic.topic_id)
        if topic_id is None:
            return None
        # Read in this order, the lag is never too low: what comes meanwhile counts, and what is handled meanwhile may.
        async with asyncio.timeout(_CHECKPOINTS_SECONDS):
            checkpoints = await self._read(topic_id, range(self._topic.topic.partitions))
        first = await asyncio.to_thread(self._topic.first_offsets)
        ends = await asyncio.to_thread(self._topic.high_water_marks)
        # Messages that retention has dropped are before the first offset, and wait for nobody.
        return sum(max(0, end - max(first[at], checkpoints.get(at, 0))) for at, end in ends.items())

    def _report(self, lag: int | None) -> None:
        for receive in self._receivers:
            receive(lag)
