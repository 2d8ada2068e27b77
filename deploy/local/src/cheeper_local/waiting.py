"""Waiting for a condition with a bound, instead of sleeping and hoping."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from tenacity import AsyncRetrying, RetryError, Retrying, retry_if_not_result, stop_after_delay, wait_exponential

T = TypeVar("T")

HANG_SECONDS = 120.0
"""A generous bound: what takes longer hangs, even on a slow and busy machine."""

_UNTIL_TRUE: Final[dict[str, Any]] = {
    "retry": retry_if_not_result(bool),
    "wait": wait_exponential(multiplier=0.01, exp_base=1.5, max=0.2),
}


def until(
    condition: Callable[[], T], timeout: float = HANG_SECONDS, *, what: str = "", or_else: Exception | None = None
) -> T:
    """Return the first truthy value of `condition`. Raise `or_else` if it takes too long, by default a TimeoutError
    that names `what` was waited for and the last value.
    """
    try:
        return Retrying(**_UNTIL_TRUE, stop=stop_after_delay(timeout))(condition)
    except RetryError as error:
        raise or_else or _too_late(condition, timeout, what, error) from None


async def eventually(condition: Callable[[], Awaitable[T] | T], timeout: float = HANG_SECONDS, *, what: str = "") -> T:  # noqa: ASYNC109 - as `until` has it
    """Do the same as `until` without blocking the event loop. `condition` may be a coroutine function."""

    async def value() -> T:
        result = condition()
        return await result if inspect.isawaitable(result) else result

    try:
        return await AsyncRetrying(**_UNTIL_TRUE, stop=stop_after_delay(timeout))(value)
    except RetryError as error:
        raise _too_late(condition, timeout, what, error) from None


def _too_late(condition: Callable[[], object], timeout: float, what: str, error: RetryError) -> TimeoutError:
    name, value = what or getattr(condition, "__qualname__", repr(condition)), error.last_attempt.result()
    return TimeoutError(f"{name} did not come true within {timeout:g} s; the last value was {value!r}")
