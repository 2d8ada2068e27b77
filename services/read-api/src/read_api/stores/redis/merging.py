"""The merge below a timeline's floor: the newest entries of the followed authors' own lists, in bounded steps.

A step is one round trip and ends after a bounded number of reads, so that no other client waits for long. Most of these
reads search for the place in each list at which the page begins. That is close to where the same reader's last page
ended: readers walk down pages, or load one again. So the places are remembered here and sent with the step. They are
only a guess, which the step verifies in the one read that gets it the entry. Lists, follows and generations may change
freely.
"""

from __future__ import annotations

from typing import Final

from read_api.stores.redis.connection import Connection
from read_api.stores.redis.scripts import Script

AUTHORS_PER_STEP: Final = 1_000
READS_PER_STEP: Final = 2_000
"""This many reads take Redis about 3 ms."""
GUESS_BYTES: Final = 4
READER_BYTES: Final = 256
"""An upper estimate of the memory for a reader, without the guesses."""
MEMORY_BYTES: Final = 16 << 20
"""The memory for all readers: 4,000 who follow 1,000 authors each, or 60,000 who follow few."""

MERGE: Final = Script("merge")


class Guesses:
    """The places at which the lists of the followed authors continue, in the authors' order, for each recent reader."""

    def __init__(self, most: int = MEMORY_BYTES) -> None:
        self._left = most
        self._of: dict[str, bytes] = {}  # the most recent reader is last

    def __getitem__(self, reader: str) -> bytes:
        """Return the places of a reader, empty if none are known."""
        return self._of.get(reader, b"")

    def __setitem__(self, reader: str, places: bytes) -> None:
        self._evict(reader)
        self._of[reader] = places
        self._left -= len(places) + READER_BYTES
        while self._left < 0:
            self._evict(next(iter(self._of)))

    def _evict(self, reader: str) -> None:
        places = self._of.pop(reader, None)
        if places is not None:
            self._left += len(places) + READER_BYTES


class Merge:
    """Merges over one connection, for the installation with that prefix."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._guesses = Guesses()

    async def newest(self, reader: str, *, below: bytes, limit: int) -> list[tuple[bytes, bytes | None]]:
        """Return the newest entries less than `below`, newest first, at most `limit` (200 at most), each with its
        cheep's record, or None if that is deleted. Raise what `Connection.execute` raises.
        """
        guesses, places = self._guesses[reader], b""
        entries: list[bytes] = []
        beyond = b""
        while True:
            entries, beyond, walked, records = await MERGE(
                self._connection,
                self._prefix,
                *(reader, below, limit, beyond, AUTHORS_PER_STEP, READS_PER_STEP, b"".join(entries)),
                guesses[len(places) : len(places) + AUTHORS_PER_STEP * GUESS_BYTES],
            )
            places += walked
            if not beyond:
                self._guesses[reader] = places
                return list(zip(entries, records, strict=True))
