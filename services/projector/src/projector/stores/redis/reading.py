"""Reading lists and sets of any size from a server that others use: some elements per call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from redis import Redis

AT_ONCE: Final = 500
"""Elements that one call reads, which takes Redis less than 1 ms."""


def elements(client: Redis, key: str) -> Iterator[list[bytes]]:
    """Yield the elements of a list in their order. What is pushed or popped meanwhile may be missing or come twice."""
    first = 0
    while True:
        some = cast("list[bytes]", client.lrange(key, first, first + AT_ONCE - 1))
        yield some
        first += AT_ONCE
        if len(some) < AT_ONCE:
            return


def members(client: Redis, key: str) -> Iterator[list[bytes]]:
    """Yield the members of a set in no order, each once. One that is added or removed meanwhile may be missing."""
    cursor, seen = 0, set[bytes]()
    while True:
        cursor, some = cast("tuple[int, list[bytes]]", client.sscan(key, cursor, count=AT_ONCE))
        new = [member for member in dict.fromkeys(some) if member not in seen]  # a scan may return one twice
        seen.update(new)
        yield new
        if not cursor:
            return
