"""The load of a consumer, by which it collects larger batches while it is busy and delays nothing while it is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

BUSY: Final = 0.3
"""The share of its time that a busy consumer does not wait for messages."""
COLLECT_SECONDS: Final = 0.005
"""The time in which a busy one collects messages: about what a transaction costs, whatever its size."""
_MEMORY_SECONDS: Final = 0.5
"""The time over which the share is measured: one long batch, or a burst of a few messages, makes nobody busy."""


class Load:
    """The load of one consumer, which measures the time in which it waits for a message."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._busy = 0.0

    @property
    def collect_seconds(self) -> float:
        """The time for which to collect messages after the first one, in seconds, 0 unless the consumer is busy."""
        return COLLECT_SECONDS if self._busy >= BUSY else 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the block as time without work."""
        self._passed(1.0)
        yield
        self._passed(0.0)

    def _passed(self, busy: float) -> None:
        """Move the share towards `busy`, by as much of the memory as has passed."""
        now = self._clock()
        weight = min((now - self._since) / _MEMORY_SECONDS, 1.0)
        self._busy += (busy - self._busy) * weight
        self._since = now
