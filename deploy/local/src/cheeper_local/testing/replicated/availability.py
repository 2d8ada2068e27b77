"""The longest time for which something was unavailable to a client that does it without pause."""

from __future__ import annotations

import time
from collections.abc import Callable


class Availability:
    """Counts successes and measures the time between them. Only one thread may call it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.successes = 0
        self.longest_pause = 0.0
        self._clock = clock
        self._last: float | None = None

    def succeeded(self) -> None:
        """Record a success at this moment."""
        now = self._clock()
        if self._last is not None:
            self.longest_pause = max(self.longest_pause, now - self._last)
        self._last = now
        self.successes += 1
