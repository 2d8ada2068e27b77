"""Whether a write failed lately.

A server that answers questions may still take no writes: its disk is full, it has become a standby, a right was lost.
No question shows that, only the next write.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LATELY_SECONDS: Final = 5.0


class Trouble:
    """The last write's fault, for some seconds: then somebody has to try again, and is to be let in for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._why: str | None = None
        self._at = 0.0

    def met(self, why: str) -> None:
        """A write failed for this."""
        self._why, self._at = why, self._clock()

    def over(self) -> None:
        """One succeeded."""
        self._why = None

    def why_not(self) -> str | None:
        """Why writing failed lately, none where it did not."""
        return self._why if self._clock() - self._at < LATELY_SECONDS else None
