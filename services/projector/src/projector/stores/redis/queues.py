"""The queues of tasks as people count them."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, cast

import msgspec
from redis import Redis

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS


class Task(msgspec.Struct, frozen=True):
    """A fan-out task: the cheep's message and entry (in hex), and the last follower served."""

    sequence: int
    entry: str
    after: str


def waiting_slices(client: Redis, prefix: str, slice_size: int) -> Iterator[int]:
    """The slices that each waiting task still takes: by its author's followers behind its cursor, one at least."""
    for partition in range(PARTITIONS):
        authors = cast("list[bytes]", client.lrange(views.TASK_AUTHORS.key(prefix, partition), 0, -1))
        for author in authors:
            if not author:  # stands for the short timelines
                continue
            followers = views.FOLLOWERS.key(prefix, author.decode())
            for text in cast("list[Any]", client.lrange(views.TASKS.key(prefix, author.decode()), 0, -1)):
                task = msgspec.json.decode(text, type=Task)
                behind = client.zlexcount(followers, f"({task.after}" if task.after else "-", "+")
                yield max(1, ceil(behind / slice_size))


def waiting_in_turn(client: Redis, prefix: str) -> int:
    """The authors with fan-out tasks and the short timelines: a cheap count, whatever each still takes."""
    with client.pipeline(transaction=False) as pipe:
        for partition in range(PARTITIONS):
            pipe.llen(views.TASK_AUTHORS.key(prefix, partition))
            pipe.zcard(views.SHORT_TIMELINES.key(prefix, partition))
        counts = pipe.execute()
    # Short timelines stand in the list of authors as one.
    return sum(authors + short - (short > 0) for authors, short in zip(counts[::2], counts[1::2], strict=True))


def waiting_steps(client: Redis, prefix: str, authors_a_step: int) -> Iterator[int]:
    """The steps that each short timeline still takes: by the followed authors not yet reached, one at least."""
    for partition in range(PARTITIONS):
        readers = cast("list[bytes]", client.zrange(views.SHORT_TIMELINES.key(prefix, partition), 0, -1))
        for reader in readers:
            reached = cast("bytes | None", client.hget(views.REFILL.key(prefix, reader.decode()), "reached"))
            following = views.FOLLOWING.key(prefix, reader.decode())
            ahead = client.zlexcount(following, b"(" + reached if reached else "-", "+")
            yield max(1, ceil(ahead / authors_a_step))
