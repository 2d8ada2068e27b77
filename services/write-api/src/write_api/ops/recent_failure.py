"""The reason why writing to a server failed recently.

A server that answers reads may still refuse writes: its disk is full, it became a standby, a privilege was lost. Only
the next write shows that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

RECENT_SECONDS: Final = 5.0


class RecentFailure:
    """The last write's failure, which expires after a few seconds so that somebody may try again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reason: str | None = None
        self._at = 0.0

    def record(self, reason: str) -> None:
        """Record that a write failed."""
        self._reason, self._at = reason, self._clock()

    def clear(self) -> None:
        """Record that a write succeeded."""
        self._reason = None

    def reason(self) -> str | None:
        """Return why writing failed recently, or None if it did not."""
        return self._reason if self._clock() - self._at < RECENT_SECONDS else None
