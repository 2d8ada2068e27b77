"""Waiting for a condition with a bound, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.2


def until(condition: Callable[[], T], timeout: float = 10.0, *, what: str = "", or_else: Exception | None = None) -> T:
    """The first truthy value of `condition`. Raises `or_else` when it takes too long, or where that is not given
    TimeoutError, naming `what` was waited for and the last value.
    """
    deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise or_else or _too_late(condition, timeout, what, value)
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return value


async def eventually(condition: Callable[[], Awaitable[T] | T], timeout: float = 10.0, *, what: str = "") -> T:  # noqa: ASYNC109 - as `until` has it
    """As `until`, of a condition that may be a coroutine function, without holding up the event loop."""
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
