"""Waits for work no longer than may be, without waiting for it to be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_late: set[asyncio.Task[Any]] = set()


async def in_time(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """The result, if it comes in time. Raises TimeoutError, and what the work raises.

    Late work is given up but not waited for: to cancel what a server has frozen takes time too.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        _late.add(task)
        task.add_done_callback(_let_go)
        task.cancel()
        raise TimeoutError
    return task.result()


def _let_go(task: asyncio.Task[Any]) -> None:
    _late.discard(task)
    if not task.cancelled():
        task.exception()  # it has been answered for: nobody else will look at it
