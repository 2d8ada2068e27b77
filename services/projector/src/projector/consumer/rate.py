"""The rate limit of a consumer: a rebuild leaves capacity for the rest of the system."""

from __future__ import annotations

import time


class Rate:
    """A limit of events per second, without limit if the number is None."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._free_at = 0.0

    @property
    def wait(self) -> float:
        """The seconds until more may be done."""
        return 0.0 if self._per_second is None else max(0.0, self._free_at - time.monotonic())

    def count(self, done: int) -> None:
        """Count events that are done now."""
        if self._per_second is not None:
            self._free_at = max(self._free_at, time.monotonic()) + done / self._per_second
