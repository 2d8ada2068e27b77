"""At most so many events a second: a rebuild leaves room for the rest of the system."""

from __future__ import annotations

import time


class Rate:
    """No limit without a number."""

    def __init__(self, a_second: float | None) -> None:
        self._a_second = a_second
        self._free_at = 0.0

    @property
    def wait(self) -> float:
        """Seconds until more may be done."""
        return 0.0 if self._a_second is None else max(0.0, self._free_at - time.monotonic())

    def count(self, done: int) -> None:
        """So many are done now."""
        if self._a_second is not None:
            self._free_at = max(self._free_at, time.monotonic()) + done / self._a_second
