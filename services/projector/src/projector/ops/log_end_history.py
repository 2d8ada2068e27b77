"""The log end of each partition over time: read beside the consumers, so it is known while they read nothing."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final

_KEPT: Final = 10_000


class LogEndHistory:
    """The log ends as they were read, each with its time by `clock`, in seconds. Any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._read: dict[int, list[tuple[float, int]]] = {}

    def record(self, ends: Mapping[int, int]) -> None:
        """Record the next offset of each partition, as the broker reported it now."""
        now = self._clock()
        with self._lock:
            for partition, end in ends.items():
                read = self._read.setdefault(partition, [])
                if read and read[-1][1] > end:
                    read.clear()  # another log
                if not read or read[-1][1] < end:
                    read.append((now, end))
                if len(read) > _KEPT:
                    del read[1 : _KEPT // 2]

    def end(self, partition: int) -> int | None:
        """Return the next offset, None before the first record."""
        with self._lock:
            read = self._read.get(partition)
            return read[-1][1] if read else None

    def since(self, partition: int, offset: int) -> tuple[float, bool] | None:
        """Return when the message of that offset was first seen to exist, and whether by the very first record, so that
        it may be older. Return None if it does not exist.
        """
        with self._lock:
            read = self._read.get(partition, [])
            at = bisect_right(read, offset, key=lambda each: each[1])
            return (read[at][0], at == 0) if at < len(read) else None
