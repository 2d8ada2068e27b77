"""The progress of a consumer in its partitions, as its checkpoints in the database have it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from write_api.bus.unit_of_work import Checkpoint, LogState
from write_api.consumer.group_consumer import Start
from write_api.consumer.message import ConsumedMessage

_START_SECONDS: Final = 10.0


class CheckpointStore(Protocol):
    """The checkpoints of a topic, which move in the transactions of what is handled. Every method raises
    UnavailableError.
    """

    async def assigned(self, topic_id: str, logs: Mapping[int, LogState]) -> Mapping[int, int]:
        """Return the offset to read from of each partition, which is nowhere behind what the log has."""

    async def read(self, topic_id: str, partitions: Collection[int]) -> Mapping[int, int]:
        """Return the next offset of each of these partitions that has a checkpoint in the topic with that id."""


class Progress:
    """The progress of a consumer of that topic: the offset of the next message of each assigned partition."""

    def __init__(self, store: CheckpointStore, topic: str) -> None:
        self._store = store
        self._topic = topic
        self._topic_id = ""
        self._next: dict[int, int] = {}

    def start_of(self, topic_id: str) -> Start:
        """Return the function that reads the checkpoints of assigned partitions, from the consumer's thread."""
        loop = asyncio.get_running_loop()
        self._topic_id, self._next = topic_id, {}  # nothing is assigned yet

        def start(logs: Mapping[int, LogState]) -> Mapping[int, int]:
            assigned = self._store.assigned(topic_id, logs)
            self._next = dict(asyncio.run_coroutine_threadsafe(assigned, loop).result(_START_SECONDS))
            return self._next

        return start

    def behind(self, messages: Sequence[ConsumedMessage]) -> list[Checkpoint]:
        """Return the checkpoints behind these messages."""
        following = {message.partition: message.offset + 1 for message in messages}
        return [
            Checkpoint(
                topic=self._topic,
                partition=partition,
                topic_id=self._topic_id,
                since=self._next.get(partition, 0),
                next_offset=offset,
            )
            for partition, offset in following.items()
        ]

    def handled(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Advance to these checkpoints, which have moved."""
        for checkpoint in checkpoints:
            if checkpoint.partition in self._next:
                self._next[checkpoint.partition] = checkpoint.next_offset

    async def is_set_back(self) -> bool:
        """Return True if the database has an older checkpoint than this consumer: it was restored or promoted, and has
        lost what was handled since.
        """
        expected = dict(self._next)
        stored = await self._store.read(self._topic_id, expected)
        return any(stored.get(partition, 0) < offset for partition, offset in expected.items())
