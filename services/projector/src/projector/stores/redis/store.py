"""The hot views in Redis: one call of a server-side function applies batches, each with its partition's checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final, cast

import msgspec
from redis import Redis
from redis.exceptions import ResponseError

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_runtime.traces.tracer import Tracer
from projector.messages.parked import ParkedMessage
from projector.stores.base import (
    Applied,
    Backlog,
    Batch,
    Checkpoint,
    GapError,
    Item,
    Outcome,
    Status,
    StoreUnavailableError,
    UnappliableError,
)
from projector.stores.redis import scripts
from projector.stores.redis.faults import passing_faults
from projector.stores.redis.reading import elements, members
from projector.stores.redis.replies import checkpoint_of, left_out_of
from projector.stores.redis.scripts import MESSAGES_MAX, RedisSettings, cause_of
from projector.stores.redis.tasks import RedisTasks, waiting_in_turn, waiting_slices, waiting_steps

_ATTEMPTS: Final = 3


class RedisStore:
    """The views in Redis. Not for several threads at once. With a `tracer`, tasks keep the cause of traced events."""

    name = "redis"

    def __init__(self, client: Redis, settings: RedisSettings, tracer: Tracer | None = None) -> None:
        self._client = client
        self._settings = settings
        self._tracer = tracer
        self._stem = views.stem(settings.prefix)
        self._apply = client.register_script(scripts.source("apply"))
        self._parked: dict[int, set[str]] = {}
        self.tasks = RedisTasks(client, settings)

    def prepare(self) -> None:
        """Raise StoreUnavailableError if Redis does not answer: there is nothing to make."""
        with passing_faults():
            self._client.ping()

    def checkpoints(self, partitions: Sequence[int]) -> dict[int, Checkpoint]:
        """Return the checkpoints of these partitions."""
        with passing_faults(), self._client.pipeline(transaction=False) as pipe:
            for partition in partitions:
                pipe.hgetall(self._key(views.CHECKPOINT, partition))
            return {p: checkpoint_of(fields) for p, fields in zip(partitions, pipe.execute(), strict=True)}

    def apply(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Write the first messages, as many as one call may, and the checkpoint of each batch behind its own."""
        batches = _first_messages(batches)
        for _ in range(_ATTEMPTS):
            try:
                replies = self._call(batches)
            except ResponseError as error:
                if len(batches) == 1:
                    return [UnappliableError(None, str(error))]
                return [outcome for batch in batches for outcome in self.apply([batch])]
            if outcomes := [
                self._outcome(batch, reply)
                for batch, reply in zip(batches, replies, strict=False)
                if reply[0] != b"parked"  # the last one, if any
            ]:
                return outcomes
            self._read_parked(batches[0].partition)
        raise StoreUnavailableError("the set of parked keys keeps changing")

    def status(self) -> Status:
        """Return the checkpoints and the numbers of what waits."""
        with passing_faults():
            slices = sum(waiting_slices(self._client, self._settings))
            steps = sum(waiting_steps(self._client, self._settings))
            parked = self._count_parked()
        return Status(checkpoints=self.checkpoints(range(PARTITIONS)), tasks=slices + steps, parked=parked)

    def backlog(self) -> Backlog:
        """Return the number of what waits. Any thread may call it."""
        with passing_faults():
            tasks, parked = waiting_in_turn(self._client, self._settings.prefix), self._count_parked()
            memory = cast("dict[str, int]", self._client.info("memory"))
        used, most = memory["used_memory"], memory.get("maxmemory", 0)
        return Backlog(tasks=tasks, parked=parked, memory=used / most if most else None)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(self, batches: Sequence[Batch]) -> list[list[Any]]:
        settings = self._settings
        call = (
            [(batch.partition, batch.topic_id, self._messages(batch)) for batch in batches],
            settings.cap,
            settings.inline_max,
            settings.work_max,
        )
        keys = [self._key(views.CHECKPOINT, batches[0].partition), settings.registry]
        arguments: list[str | int | bytes] = [self._stem, msgspec.msgpack.encode(call), settings.generation]
        with passing_faults():
            return cast("list[list[Any]]", self._apply(keys, arguments))

    def _messages(self, batch: Batch) -> list[tuple[Any, ...]]:
        return [
            (item.sequence or 0, item.offset, item.key, writes, *cause_of(self._tracer, item.message))
            for item, writes in zip(batch.items, self._writes(batch), strict=True)
        ]

    def _writes(self, batch: Batch) -> list[tuple[Any, ...]]:
        """Return each message's writes, or the one that parks it if its key is parked already or in this batch."""
        parked = set(self._parked.get(batch.partition, ()))
        found: list[tuple[Any, ...]] = []
        for item in batch.items:
            tag = "poison" if item.poison else "behind"
            if item.poison or item.key in parked:
                parked.add(item.key)
                found.append(((tag, msgspec.json.encode(item.parked(batch.topic_id)).decode()),))
            else:
                found.append(item.writes)
        return found

    def _outcome(self, batch: Batch, reply: list[Any]) -> Outcome:
        match reply:
            case [b"gap", stored]:
                return GapError(f"partition {batch.partition} is at sequence {stored}")
            case [b"bad", index, reason]:
                return UnappliableError(index, reason.decode())
        _, used, before, sequence, topic_id, offset, poison, tasks, left_out = reply
        return Applied(
            used=used,
            waiting=tasks,
            checkpoint=Checkpoint(sequence=sequence, topic_id=topic_id.decode(), offset=offset, poison=poison),
            parked=self._parked_of(batch, used, before),
            left_out=left_out_of(left_out),
        )

    def _parked_of(self, batch: Batch, used: int, before: int) -> tuple[ParkedMessage, ...]:
        """Return what of the batch is parked: by this call, or by an earlier one whose reply was lost."""
        parked = self._parked.setdefault(batch.partition, set())
        found: list[ParkedMessage] = []
        for item in batch.items[:used]:
            if item.poison:
                parked.add(item.key)
            if item.key in parked:
                known = item.sequence is not None and item.sequence <= before
                found += self._parked_before(item) if known else [item.parked(batch.topic_id)]
        return tuple(found)

    def _parked_before(self, item: Item) -> list[ParkedMessage]:
        with passing_faults():
            waiting = chain.from_iterable(elements(self._client, self._key(views.PARKED, item.key)))
            messages = (msgspec.json.decode(text, type=ParkedMessage) for text in waiting)
            return [message for message in messages if message.sequence == item.sequence]

    def _read_parked(self, partition: int) -> None:
        with passing_faults():
            keys = chain.from_iterable(members(self._client, self._key(views.PARKED_KEYS, partition)))
            self._parked[partition] = {key.decode() for key in keys}

    def _count_parked(self) -> int:
        number = 0
        for partition in range(PARTITIONS):
            for keys in members(self._client, self._key(views.PARKED_KEYS, partition)):
                with self._client.pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.llen(self._key(views.PARKED, key.decode()))
                    number += sum(pipe.execute())
        return number

    def _key(self, pattern: views.KeyPattern, identifier: str | int) -> str:
        return pattern.key(self._settings.prefix, identifier)


def _first_messages(batches: Sequence[Batch]) -> list[Batch]:
    """Return the batches without the messages that are too many for one call."""
    found, left = [], MESSAGES_MAX
    for batch in batches:
        if left > 0:
            found.append(msgspec.structs.replace(batch, items=batch.items[:left]))
            left -= len(batch.items)
    return found
