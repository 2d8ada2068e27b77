"""Runs a role that serves nothing but its pages of health and metrics: both until it is done or a signal comes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry

from write_api.http.health import create_health_app
from write_api.http.serve import server_of
from write_api.ops.needs import Check

DRAIN_SECONDS: Final = 8.0
"""For the work in hand after a signal. What is not done by then is done by the next process, without harm."""

log = structlog.get_logger()


@asynccontextmanager
async def beside(watching: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something without end beside a block, for as long as that lasts."""
    task = asyncio.create_task(watching)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def run_role(
    host: str,
    port: int,
    checks: Mapping[str, Check],
    registry: CollectorRegistry,
    work: Callable[[asyncio.Event], Awaitable[int]],
) -> int:
    """Run `work` beside the pages of health and metrics; its exit code. It is to end soon once its event is set."""
    # What was imported stays. The collector would look through all of it for every few thousand messages, which would
    # cost the relay as much as sending them.
    gc.collect()
    gc.freeze()
    stop = asyncio.Event()
    server = server_of(create_health_app(checks, registry), host, port)
    serving = asyncio.create_task(server.serve())
    working = asyncio.ensure_future(work(stop))
    await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    server.should_exit = True
    done, _ = await asyncio.wait({working}, timeout=DRAIN_SECONDS)
    if not done:
        log.warning("ended with work in hand, which the next process does")
        working.cancel()
    await serving
    if not server.started:
        return 1
    return working.result() if done else 0
