"""Waiting between tries: longer each time, never the same for two processes, and cut short when told to stop."""

from __future__ import annotations

import asyncio
import random
from typing import Final

FIRST_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 5.0


class Backoff:
    """Pauses that double from `first` to `longest` seconds, each shortened by up to half at random.

    There is no limit to the tries: what is tried here is waited for, never given up.
    """

    def __init__(self, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def next(self) -> float:
        """The seconds of the next pause."""
        pause = self._next
        self._next = min(pause * 2, self._longest)
        return pause * random.uniform(0.5, 1)  # noqa: S311 - jitter keeps no secret

    def reset(self) -> None:
        """Begin again with the shortest, after a success."""
        self._next = self._first

    async def pause(self, stop: asyncio.Event) -> None:
        """Wait for the next pause's time, or until `stop` is set."""
        await sleep_unless(stop, self.next())


async def sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    """Wait for `seconds`, or until `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
