"""Faults that pass: try again for as long as it takes, ever more slowly, and say so in readiness."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TypeVar

from projector.ops.health import Health
from projector.stores.base import StoreUnavailableError

T = TypeVar("T")

FIRST_DELAY = 0.05
LONGEST_DELAY = 2.0


class Abandoned(Exception):  # noqa: N818 - no error: there is no reason any more to do what was tried
    """The process stops, or the partition went to another one."""


def pauses() -> Iterator[float]:
    """How many seconds to wait after each failure, ever more, with jitter; without end."""
    delay = FIRST_DELAY
    while True:
        yield delay * random.uniform(0.5, 1)  # noqa: S311 - jitter is no secret
        delay = min(delay * 2, LONGEST_DELAY)


class Persistence:
    """Tries again until it works or nobody wants it any more. `wait` is how to spend the time between.

    What readiness hears is that of one need, and of one part of it where several threads have the same. `retried` hears
    of each failure.
    """

    def __init__(
        self,
        health: Health,
        need: str,
        wait: Callable[[float], None],
        part: str = "",
        retried: Callable[[StoreUnavailableError], object] | None = None,
    ) -> None:
        self._health = health
        self._need = need
        self._wait = wait
        self._part = part
        self._retried = retried

    def of(self, action: Callable[[], T], wanted: Callable[[], bool]) -> T:
        """The action's result. Raises Abandoned once it is not `wanted`, and whatever is no StoreUnavailableError."""
        waits = pauses()
        while True:
            try:
                result = action()
            except StoreUnavailableError as error:
                self._health.say(self._need, str(error), self._part)
                if self._retried is not None:
                    self._retried(error)
                self._wait(next(waits))
            else:
                self._health.say(self._need, None, self._part)
                return result
            if not wanted():
                raise Abandoned
