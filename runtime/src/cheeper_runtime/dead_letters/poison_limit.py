"""The limit of poison messages: beyond it the fault is likely in this process rather than in the messages.

A consumer that reaches it stops, so that a bad deployment does not drain a topic into the dead letters.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

MOST_IN_A_ROW: Final = 20
MOST_A_MINUTE: Final = 100

_MINUTE: Final = 60.0


class TooMuchPoisonError(Exception):
    """Too many messages in a row or within a minute could not be handled.

    The text is for anyone. `last_error` is that of the last message, whose content it may quote: it is for the log.
    """

    def __init__(self, text: str, last_error: str | None) -> None:
        super().__init__(text)
        self.last_error = last_error


class PoisonLimit:
    """The limits of one consumer. It counts the poison of the last 60 seconds; the caller counts what is in a row.

    Messages that only wait behind poison of their key are not poison.
    """

    def __init__(
        self,
        most_in_a_row: int = MOST_IN_A_ROW,
        most_a_minute: int = MOST_A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_in_a_row = most_in_a_row
        self._most_a_minute = most_a_minute
        self._clock = clock
        self._times: deque[float] = deque()

    def count(self, parked: int) -> None:
        """Count poison messages that were parked now."""
        self._times.extend([self._clock()] * parked)

    def reached(self, in_a_row: int, uncounted: int) -> str | None:
        """Return the limit that a poison message reaches, such as "20 messages in a row", or None.

        It is the last of `in_a_row`, and the last of `uncounted` ones that are not parked yet. Neither of these numbers
        reaches a limit if it is 0.
        """
        if in_a_row >= self._most_in_a_row:
            return f"{in_a_row} messages in a row"
        while self._times and self._times[0] <= self._clock() - _MINUTE:
            self._times.popleft()
        if uncounted > 0 and len(self._times) + uncounted >= self._most_a_minute:
            return f"{self._most_a_minute} messages within a minute"
        return None
