"""Waiting for a condition with a bound, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

HANG_SECONDS = 60.0
"""A generous bound: what takes longer hangs, even on a slow and busy machine."""

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.2


def until(
    condition: Callable[[], T], timeout: float = HANG_SECONDS, *, what: str = "", or_else: Exception | None = None
) -> T:
    """Return the first truthy value of `condition`. Raise `or_else` if it takes too long, by default a TimeoutError
    that names `what` was waited for and the last value.
    """
    deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise or_else or _too_late(condition, timeout, what, value)
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return value


async def eventually(condition: Callable[[], Awaitable[T] | T], timeout: float = HANG_SECONDS, *, what: str = "") -> T:  # noqa: ASYNC109 - as `until` has it
    """Do the same as `until` without blocking the event loop. `condition` may be a coroutine function."""
    deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
    while True:
        result = condition()
        value: T = await result if inspect.isawaitable(result) else result
        if value:
            return value
        if time.monotonic() > deadline:
            raise _too_late(condition, timeout, what, value)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _too_late(condition: Callable[[], object], timeout: float, what: str, value: object) -> TimeoutError:
    name = what or getattr(condition, "__qualname__", repr(condition))
    return TimeoutError(f"{name} did not come true within {timeout:g} s; the last value was {value!r}")
