"""The rate at which a running process works off a backlog, measured from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from cheeper_bench.errors import BenchError

_PAUSE: Final = 0.02
_PATIENCE: Final = 120.0


class Drained(NamedTuple):
    """`messages` in `seconds`, and what `cost` rose by meanwhile."""

    messages: int
    seconds: float
    cost: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds


def drained(
    done: Callable[[], int], wanted: int, *, check: Callable[[], None] = lambda: None, cost: Callable[[], float] = float
) -> Drained:
    """Wait until `done` is `wanted`, counted from the last check before it moved, so a process may start meanwhile.

    Raise BenchError if `done` does not advance for two minutes.
    """
    first = last = done()
    began = moved = time.perf_counter()
    cost_then = cost()
    while last < wanted:
        now, value = time.perf_counter(), done()
        if last == first and value == first:
            began, cost_then = now, cost()
        if value != last:
            moved = now
        elif now - moved > _PATIENCE:
            raise BenchError(f"It stays at {value} of {wanted}.")
        last = value
        if last < wanted:
            check()
            time.sleep(_PAUSE)
    return Drained(wanted - first, time.perf_counter() - began, cost() - cost_then)
