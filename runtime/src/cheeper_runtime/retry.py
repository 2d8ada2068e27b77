"""Retries of what is unavailable for a while, by tenacity, with ever longer pauses and jitter.

A service waits for a server for as long as it takes: `RetryLoop` and `AsyncRetryLoop` have no limit, and readiness
reports why they wait. A command line gives up at last: `retry_for`. A loop that handles each failure in its own way
takes its pauses from `Backoff`.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, TypedDict, TypeVar, Unpack

from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception_type, stop_after_delay
from tenacity.wait import wait_exponential

from cheeper_runtime.readiness.needs import Readiness

FIRST_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 5.0

Errors = type[Exception] | tuple[type[Exception], ...]
T = TypeVar("T")


class AbandonedError(Exception):
    """The action is no longer wanted, for instance because the process stops."""


class wait_backoff(wait_exponential):  # noqa: N801 - as tenacity names its waits
    """The pauses of Backoff, for tenacity."""

    def __init__(self, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        super().__init__(multiplier=first, max=longest)

    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the seconds of the next pause."""
        return jittered(super().__call__(retry_state))


def jittered(seconds: float) -> float:
    """Return a pause shortened by up to half at random, so that processes do not retry all at once."""
    return seconds * random.uniform(0.5, 1)  # noqa: S311 - jitter keeps no secret


class _Options(TypedDict, total=False):
    first: float
    longest: float
    on_failure: Callable[[Any], object] | None


class _Retries:
    """The need of the process, the errors that are retried and the pauses of a loop."""

    def __init__(  # noqa: PLR0913 - what it reports to, and how it waits
        self,
        readiness: Readiness,
        need: str,
        errors: Errors,
        *,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        on_failure: Callable[[Any], object] | None = None,
    ) -> None:
        self._readiness = readiness
        self._need = need
        self._errors = errors
        self._first, self._longest = first, longest
        self._on_failure = on_failure


class RetryLoop(_Retries):
    """Runs actions for a need of the process, again and again while they raise one of `errors`.

    Readiness reports the error's text, and `on_failure` gets each error. `sleep` spends the pauses.
    """

    def __init__(
        self,
        readiness: Readiness,
        need: str,
        errors: Errors,
        *,
        sleep: Callable[[float], object],
        **options: Unpack[_Options],
    ) -> None:
        super().__init__(readiness, need, errors, **options)
        self._sleep = sleep

    def run(self, action: Callable[[], T], wanted: Callable[[], bool] = lambda: True) -> T:
        """Return the action's result. Raise AbandonedError if it is not `wanted` any more after a pause, and whatever
        the action raises that is not one of `errors`.
        """
        backoff = Backoff(self._first, self._longest)
        while True:  # by hand: tenacity would cost 25 µs for each batch that succeeds at once
            try:
                result = action()
            except self._errors as error:
                self._readiness.failed(self._need, str(error))
                if self._on_failure is not None:
                    self._on_failure(error)
                self._sleep(backoff.next())
                if not wanted():
                    raise AbandonedError from error
            else:
                self._readiness.ok(self._need)
                return result


class AsyncRetryLoop(_Retries):
    """As RetryLoop, for coroutines. `on_failure` may be a coroutine function."""

    async def run(self, action: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T:
        """Return the action's result. Raise AbandonedError if `stop` is set in a pause, and whatever the action raises
        that is not one of `errors`.
        """

        async def sleep(seconds: float) -> None:
            await sleep_unless(stop, seconds)
            if stop.is_set():
                raise AbandonedError

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(self._errors),
            wait=wait_backoff(self._first, self._longest),
            sleep=sleep,
            before_sleep=self._report,
        )
        result: T = await retrying(action)
        self._readiness.ok(self._need)
        return result

    async def _report(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._readiness.failed(self._need, str(error))
        if self._on_failure is not None:
            outcome = self._on_failure(error)
            if inspect.isawaitable(outcome):
                await outcome


def retry_for(seconds: float, errors: Errors, *, longest: float = 0.5) -> Retrying:
    """Return a tenacity controller, which calls a function again while it raises one of `errors`.

    The pauses are at most `longest` seconds. After `seconds` the last error is raised.
    """
    return Retrying(
        retry=retry_if_exception_type(errors),
        wait=wait_backoff(first=0.05, longest=longest),
        stop=stop_after_delay(seconds),
        reraise=True,
    )


class Backoff:
    """Pauses that double from `first` to `longest` seconds, each shortened by up to half at random."""

    def __init__(self, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def next(self) -> float:
        """Return the seconds of the next pause."""
        seconds = self._next
        self._next = min(seconds * 2, self._longest)
        return jittered(seconds)

    def reset(self) -> None:
        """Begin with the shortest pause again, after a success."""
        self._next = self._first

    async def pause(self, stop: asyncio.Event) -> None:
        """Wait for the next pause's time, or until `stop` is set."""
        await sleep_unless(stop, self.next())


async def sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    """Wait for `seconds`, or until `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
