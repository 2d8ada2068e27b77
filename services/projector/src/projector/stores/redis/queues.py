"""The fan-out queues as people count them."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, cast

import msgspec
from redis import Redis

from cheeper_contracts import views
from cheeper_contracts.topics import PARTITIONS


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
            followers = views.FOLLOWERS.key(prefix, author.decode())
            for text in cast("list[Any]", client.lrange(views.TASKS.key(prefix, author.decode()), 0, -1)):
                task = msgspec.json.decode(text, type=Task)
                behind = client.zlexcount(followers, f"({task.after}" if task.after else "-", "+")
                yield max(1, ceil(behind / slice_size))
