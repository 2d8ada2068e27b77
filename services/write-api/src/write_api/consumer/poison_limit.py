"""How much poison there may be before the fault is likely here rather than in the messages."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

MOST_IN_A_ROW: Final = 20
MOST_A_MINUTE: Final = 100

_MINUTE: Final = 60.0


class PerMinute:
    """Counts poison of the last 60 seconds, in this process. Messages that only wait behind poison are none."""

    def __init__(self, most: int = MOST_A_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._times: deque[float] = deque()

    def count(self, number: int) -> None:
        """So many were parked now."""
        self._times.extend([self._clock()] * number)

    def reached_by(self, number: int) -> bool:
        """Whether so many more now would be as many as stop the consumer."""
        while self._times and self._times[0] <= self._clock() - _MINUTE:
            self._times.popleft()
        return number > 0 and len(self._times) + number >= self._most
