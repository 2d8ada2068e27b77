"""Runs a role that serves no pages but health and metrics, until its work is done or a signal comes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from litestar.types import ASGIApp

from cheeper_runtime.http_server import http_server

DRAIN_SECONDS: Final = 8.0
"""The time for the work in flight after a signal. The next process repeats what is left, without harm."""

log = structlog.get_logger()


async def run_role(host: str, port: int, pages: ASGIApp, work: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    """Run `work` beside the pages of health and metrics, and return its exit code. It ends once its event is set."""
    # Imported modules stay for ever. The garbage collector would scan them every few thousand messages, which would
    # cost the relay as much as sending them.
    gc.collect()
    gc.freeze()
    stop = asyncio.Event()
    server = http_server(pages, host, port)
    serving = asyncio.create_task(server.serve())
    working = asyncio.ensure_future(work(stop))
    await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    server.should_exit = True
    done, _ = await asyncio.wait({working}, timeout=DRAIN_SECONDS)
    if not done:
        log.warning("stopped with work in flight, which the next process repeats")
        working.cancel()
    await serving
    if not server.started:
        return 1
    return working.result() if done else 0
