"""The merge below a timeline's floor: the newest entries of the followed authors' own lists, in bounded steps.

A step is one round trip, and ends after so many reads of lists, so that nobody else waits for long. Most of them find
out where a list goes on below the page's place, which is nearly where it went on when the same reader last asked: who
walks down pages, or loads one again. So that is remembered here, and a step is told. It is no more than a guess, which
the step verifies in the one read that gives it the entry: lists, follows and generations may change as they like.
"""

from __future__ import annotations

from typing import Final

from read_api.stores.redis.scripts import Script
from read_api.stores.redis.wire import Wire

AUTHORS_A_STEP: Final = 1_000
READS_A_STEP: Final = 2_000
"""About 3 ms of Redis."""
GUESS_BYTES: Final = 4
READER_BYTES: Final = 256
"""What a reader takes beside the guesses, generously."""
BYTES_KEPT: Final = 16 << 20
"""Of all readers together: 4,000 who follow 1,000 each, or 60,000 who follow few."""

MERGE: Final = Script("merge")


class Guesses:
    """For each reader who asked of late, where the lists of the followed authors went on, in the authors' order."""

    def __init__(self, most: int = BYTES_KEPT) -> None:
        self._left = most
        self._of: dict[str, bytes] = {}  # who asked last is last

    def __getitem__(self, reader: str) -> bytes:
        """Empty where nothing is known."""
        return self._of.get(reader, b"")

    def __setitem__(self, reader: str, places: bytes) -> None:
        self._forget(reader)
        self._of[reader] = places
        self._left -= len(places) + READER_BYTES
        while self._left < 0:
            self._forget(next(iter(self._of)))

    def _forget(self, reader: str) -> None:
        places = self._of.pop(reader, None)
        if places is not None:
            self._left += len(places) + READER_BYTES


class Merging:
    """Merges over one wire, for the installation of that prefix."""

    def __init__(self, wire: Wire, prefix: str) -> None:
        self._wire = wire
        self._prefix = prefix
        self._guesses = Guesses()

    async def newest(self, reader: str, *, below: bytes, want: int) -> list[tuple[bytes, bytes | None]]:
        """The newest `want` entries less than `below`, at most 200, newest first, each with its cheep's record, None
        where that is deleted. Raises what `Wire.ask` raises.
        """
        guesses, places = self._guesses[reader], b""
        entries: list[bytes] = []
        beyond = b""
        while True:
            entries, beyond, walked, records = await MERGE(
                self._wire,
                self._prefix,
                *(reader, below, want, beyond, AUTHORS_A_STEP, READS_A_STEP, b"".join(entries)),
                guesses[len(places) : len(places) + AUTHORS_A_STEP * GUESS_BYTES],
            )
            places += walked
            if not beyond:
                self._guesses[reader] = places
                return list(zip(entries, records, strict=True))
