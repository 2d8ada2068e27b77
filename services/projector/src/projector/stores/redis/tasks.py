"""The tasks in Redis: fan-out slices and refills of short timelines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from math import ceil
from typing import Any, cast

import msgspec
from redis import Redis

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from projector.stores.redis import scripts
from projector.stores.redis.faults import passing_faults
from projector.stores.redis.reading import AT_ONCE, elements
from projector.stores.redis.replies import served_of
from projector.stores.redis.scripts import RedisSettings
from projector.stores.task_store import Refill, Slice


class RedisTasks:
    """The tasks of one generation. Not for several threads at once."""

    name = "redis"

    def __init__(self, client: Redis, settings: RedisSettings) -> None:
        self._client = client
        self._settings = settings
        self._serve = client.register_script(scripts.source("slice"))

    def partitions_with_tasks(self, partitions: Iterable[int]) -> set[int]:
        """Return those of the partitions that have tasks."""
        asked = sorted(partitions)
        with passing_faults(), self._client.pipeline(transaction=False) as pipe:
            for partition in asked:
                pipe.exists(views.TASK_AUTHORS.key(self._settings.prefix, partition))
            return {partition for partition, there in zip(asked, pipe.execute(), strict=True) if there}

    def serve(self, partition: int) -> Slice | Refill | None:
        """Serve one slice of a fan-out task of the partition, or one step for a short timeline."""
        settings = self._settings
        arguments: list[str | int] = [
            views.stem(settings.prefix),
            partition,
            settings.slice_size,
            settings.cap,
            settings.refill_authors,
            settings.work_max,
            settings.generation,
        ]
        keys = [views.TASK_AUTHORS.key(settings.prefix, partition), settings.registry]
        with passing_faults():
            return served_of(cast("list[Any]", self._serve(keys, arguments)))


class _Task(msgspec.Struct, frozen=True):
    after: str  # the last follower that was served


def waiting_slices(client: Redis, settings: RedisSettings) -> Iterator[int]:
    """Yield the slices that each fan-out task still takes: by its author's followers after its cursor, one at least."""
    prefix = settings.prefix
    for partition in range(PARTITIONS):
        for author in chain.from_iterable(elements(client, views.TASK_AUTHORS.key(prefix, partition))):
            if not author:  # the turn of the short timelines
                continue
            followers = views.FOLLOWERS.key(prefix, author.decode())
            for text in chain.from_iterable(elements(client, views.TASKS.key(prefix, author.decode()))):
                task = msgspec.json.decode(text, type=_Task)
                ahead = client.zlexcount(followers, f"({task.after}" if task.after else "-", "+")
                yield max(1, ceil(ahead / settings.slice_size))


def waiting_steps(client: Redis, settings: RedisSettings) -> Iterator[int]:
    """Yield the steps that each short timeline still takes: by the followed authors not yet reached, one at least."""
    prefix = settings.prefix
    for partition in range(PARTITIONS):
        for reader, _ in client.zscan_iter(views.SHORT_TIMELINES.key(prefix, partition), count=AT_ONCE):
            reached = cast("bytes | None", client.hget(views.REFILL.key(prefix, reader.decode()), "reached"))
            following = views.FOLLOWING.key(prefix, reader.decode())
            ahead = client.zlexcount(following, b"(" + reached if reached else "-", "+")
            yield max(1, ceil(ahead / settings.refill_authors))


def waiting_in_turn(client: Redis, prefix: str) -> int:
    """Return the number of authors with fan-out tasks and of short timelines, which is cheap to count."""
    with client.pipeline(transaction=False) as pipe:
        for partition in range(PARTITIONS):
            pipe.llen(views.TASK_AUTHORS.key(prefix, partition))
            pipe.zcard(views.SHORT_TIMELINES.key(prefix, partition))
        counts = pipe.execute()
    # The short timelines together are one element of the list of authors.
    return sum(authors + short - (short > 0) for authors, short in zip(counts[::2], counts[1::2], strict=True))
