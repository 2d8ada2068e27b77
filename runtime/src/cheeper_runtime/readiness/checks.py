"""Checks: coroutines that request something of a server, all the time, so that readiness has a recent result.

The health page responds with that result at once, whatever the load is and whatever hangs. A check has a connection of
its own: in the pool of the requests it would wait behind them, and overload is not unreadiness.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import Backoff
from cheeper_runtime.servers.refusals import no_answer

Check = Callable[[], Coroutine[Any, Any, str | None]]
"""Returns None if the need is met, or why it is not, in words without host names."""

CHECK_SECONDS: Final = 2.0
"""A check that takes longer has failed."""
WATCH_SECONDS: Final = 1.0
"""The pause between two checks of a need. After a failure it is shorter at first, and never longer."""
_END_SECONDS: Final = 1.5
_CANCEL_SECONDS: Final = 0.5

T = TypeVar("T")

_late: set[asyncio.Task[Any]] = set()


async def check(readiness: Readiness, checks: Mapping[str, Check], *, seconds: float = CHECK_SECONDS) -> None:
    """Run each check once, by the need's name, and report what it finds. They do not wait for each other."""
    await asyncio.gather(*(_check(readiness, *each, seconds) for each in checks.items()))


async def watch(readiness: Readiness, checks: Mapping[str, Check]) -> None:
    """Run the checks again and again until this is cancelled. They do not wait for each other."""
    await asyncio.gather(*(_watch(readiness, *each) for each in checks.items()))


async def in_time(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Return the result of the work. Raise TimeoutError if it takes longer, and what the work raises.

    Late work is cancelled, but the end of its cancellation is not waited for: that takes time too if a server hangs.
    If the caller is cancelled, the work has a moment to end by itself and then another one to be cancelled, so that it
    can give its connection back.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _, running = await asyncio.wait({task}, timeout=_END_SECONDS)
        _abandon(task)
        if running:
            await asyncio.wait(running, timeout=_CANCEL_SECONDS)
        raise
    if not done:
        _abandon(task)
        raise TimeoutError
    return task.result()


async def settle(seconds: float = CHECK_SECONDS) -> None:
    """Wait until late work has ended, so that its connections can be closed, for at most some seconds."""
    loop = asyncio.get_running_loop()
    late = {task for task in _late if task.get_loop() is loop}
    if late:
        await asyncio.wait(late, timeout=seconds)


async def _watch(readiness: Readiness, need: str, check: Check) -> None:
    backoff = Backoff(first=0.2, longest=WATCH_SECONDS)
    while True:
        if await _check(readiness, need, check, CHECK_SECONDS):
            backoff.reset()
            await asyncio.sleep(WATCH_SECONDS)
        else:
            await asyncio.sleep(backoff.next())


async def _check(readiness: Readiness, need: str, check: Check, seconds: float) -> bool:
    """Report whether the need is met, and return it."""
    reason = await _reason(check, seconds)
    readiness.report(need, reason)
    return reason is None


async def _reason(check: Check, seconds: float) -> str | None:
    try:
        return await in_time(check(), seconds)
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a need, it is not met
        return no_answer(error)


def _abandon(task: asyncio.Task[Any]) -> None:
    """Cancel the task if it runs, and read its result or error in the caller's place."""
    _late.add(task)
    task.add_done_callback(_discard)
    task.cancel()


def _discard(task: asyncio.Task[Any]) -> None:
    _late.discard(task)
    if not task.cancelled():
        task.exception()  # the time-out was reported in its place; unread, asyncio would log it
