"""Checks: coroutines that ask a server, when the health page is requested, whether it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

from cheeper_runtime.readiness import Readiness, is_ready
from cheeper_runtime.retry import Backoff

Check = Callable[[], Coroutine[Any, Any, str | None]]
"""Returns None if the need is met, or why it is not, in words without host names."""

CHECK_SECONDS: Final = 2.0
_WATCH_SECONDS: Final = 5.0

T = TypeVar("T")

_late: set[asyncio.Task[Any]] = set()


async def check(readiness: Readiness, checks: Mapping[str, Check], *, seconds: float = CHECK_SECONDS) -> None:
    """Run all checks at once, by the need's name, and report what they find. A check that takes longer has failed."""
    reasons = await asyncio.gather(*(_reason(each, seconds) for each in checks.values()))
    for need, reason in zip(checks, reasons, strict=True):
        readiness.report(need, reason)


async def watch(readiness: Readiness, checks: Mapping[str, Check]) -> None:
    """Run the checks every few seconds until this is cancelled, so that the log reports what is waited for."""
    backoff = Backoff(first=0.2, longest=_WATCH_SECONDS)
    while True:
        await check(readiness, checks)
        if is_ready(readiness.needs()):
            backoff.reset()
            await asyncio.sleep(_WATCH_SECONDS)
        else:
            await asyncio.sleep(backoff.next())


async def in_time(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Return the result of the work. Raise TimeoutError if it takes longer, and what the work raises.

    Late work is cancelled, but the end of its cancellation is not waited for: that takes time too if a server hangs.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        _late.add(task)
        task.add_done_callback(_discard)
        task.cancel()
        raise TimeoutError
    return task.result()


async def _reason(check: Check, seconds: float) -> str | None:
    try:
        return await in_time(check(), seconds)
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a need, it is not met
        return f"no answer: {type(error).__name__}"


def _discard(task: asyncio.Task[Any]) -> None:
    _late.discard(task)
    if not task.cancelled():
        task.exception()  # the time-out was reported in its place; unread, asyncio would log it
