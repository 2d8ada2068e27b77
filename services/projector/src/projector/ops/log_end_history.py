"""Where the log ends, and since when: looked at beside the consumers, so that it is known while they read nothing."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final

_KEPT: Final = 10_000


class LogEnds:
    """The ends of the partitions as they were seen, with the time of each. Safe to use from any thread; times are those
    of `clock`, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[int, list[tuple[float, int]]] = {}

    def saw(self, ends: Mapping[int, int]) -> None:
        """The next offset of each partition, as the broker has just said."""
        now = self._clock()
        with self._lock:
            for partition, end in ends.items():
                seen = self._seen.setdefault(partition, [])
                if seen and seen[-1][1] > end:
                    seen.clear()  # another log
                if not seen or seen[-1][1] < end:
                    seen.append((now, end))
                if len(seen) > _KEPT:
                    del seen[1 : _KEPT // 2]

    def end(self, partition: int) -> int | None:
        """The next offset; none before the first look."""
        with self._lock:
            seen = self._seen.get(partition)
            return seen[-1][1] if seen else None

    def since(self, partition: int, offset: int) -> tuple[float, bool] | None:
        """When the message of that offset was first seen to be there, and whether by the first look of all, so that it
        may be older; none where it is not there.
        """
        with self._lock:
            seen = self._seen.get(partition, [])
            at = bisect_right(seen, offset, key=lambda each: each[1])
            return (seen[at][0], at == 0) if at < len(seen) else None
