"""Back-pressure: commands for the worker are refused while too many wait for it, so that accepted means soon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cheeper_runtime.concurrency.limit import OverloadedError

NAME: Final = "worker"


class BackPressure:
    """Refuses commands while the worker's lag, in messages, is over `lag_max`. `count` is called for each refusal.

    An unknown lag refuses nothing: a broken measurement must not stop what works.
    """

    def __init__(self, lag_max: int, count: Callable[[], None] = lambda: None) -> None:
        self._lag_max = lag_max
        self._count = count
        self._lag: int | None = None

    def measured(self, lag: int | None) -> None:
        """Set the lag, or None if it is unknown."""
        self._lag = lag

    def admit(self) -> None:
        """Return if one more command may be sent to the worker. Raise OverloadedError if not."""
        if self._lag is not None and self._lag > self._lag_max:
            self._count()
            raise OverloadedError(NAME)
