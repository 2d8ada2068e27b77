"""A consumer that is busy waits for more messages, so that they share the cost of its calls."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

LONGEST: Final = 0.01
"""Seconds that a busy consumer waits."""
AT_REST: Final = 0.1
"""The utilisation up to which nothing waits."""
BUSY: Final = 0.3
"""The utilisation from which on a consumer waits longest."""
_MEMORY: Final = 0.25  # seconds after which a measurement counts for a third


class Linger:
    """The seconds to wait for more messages, which follow from the utilisation of the consumer.

    The utilisation is the share of the last moments that went into work. A consumer that waits is less busy for it, so
    it waits no longer than it needs to.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._utilisation = 0.0

    @property
    def seconds(self) -> float:
        """The time to wait, 0 at rest."""
        return LONGEST * min(1.0, max(0.0, self._utilisation - AT_REST) / (BUSY - AT_REST))

    def worked(self) -> None:
        """Note that the time since the last note went into work."""
        self._note(1.0)

    def waited(self) -> None:
        """Note that the time since the last note went into waiting for messages."""
        self._note(0.0)

    def _note(self, busy: float) -> None:
        now = self._clock()
        kept = math.exp((self._since - now) / _MEMORY)
        self._utilisation, self._since = kept * self._utilisation + (1 - kept) * busy, now
