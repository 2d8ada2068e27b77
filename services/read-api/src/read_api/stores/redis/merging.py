"""The merge below a timeline's floor: the newest entries of the followed authors' own sets, in bounded steps.

A step is one round trip and reads a bounded number of sets, one search in each, so that no other client waits for long.
The steps of all merges take turns, a few at once, and a merge has a bounded number of them and a bounded time.
"""

from __future__ import annotations

import asyncio
from typing import Final

from redis.exceptions import RedisError

from read_api.stores.redis.connection import Connection
from read_api.stores.redis.scripts import Script

AUTHORS_PER_STEP: Final = 1_000
"""This many searches take Redis 3 to 5 ms."""
STEPS_AT_ONCE: Final = 4
"""The steps of all merges that wait for Redis together: other look-ups wait for no more of them."""
STEPS_PER_MERGE: Final = 100
SECONDS_PER_MERGE: Final = 4.0

MERGE: Final = Script("merge")


class Merge:
    """Merges over one connection, for the installation with that prefix."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._turns = asyncio.Semaphore(STEPS_AT_ONCE)  # which is fair: the steps of all merges take turns

    async def newest(self, reader: str, *, below: bytes, limit: int) -> list[tuple[bytes, bytes | None]]:
        """Return the newest entries less than `below`, newest first, at most `limit` (200 at most), each with its
        cheep's record, or None if that is deleted. Raise what `Connection.execute` raises, TimeoutError after
        SECONDS_PER_MERGE, or RedisError after STEPS_PER_MERGE.
        """
        entries: list[bytes] = []
        beyond = b""
        async with asyncio.timeout(SECONDS_PER_MERGE):
            for _ in range(STEPS_PER_MERGE):
                entries, beyond, records = await self._step(reader, below, limit, beyond, b"".join(entries))
                if not beyond:
                    return list(zip(entries, records, strict=True))
        raise RedisError(f"The reader follows more than {STEPS_PER_MERGE * AUTHORS_PER_STEP:,} authors")

    async def _step(
        self, reader: str, below: bytes, limit: int, beyond: bytes, gathered: bytes
    ) -> tuple[list[bytes], bytes, list[bytes | None]]:
        async with self._turns:
            entries, reached, records = await MERGE(
                self._connection, self._prefix, reader, below, limit, beyond, AUTHORS_PER_STEP, gathered
            )
        return entries, reached, records
