"""The steps of the migrate role, which set up what the other roles need, and wait for the servers without limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import msgspec
import structlog

from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import AsyncRetryLoop
from write_api.bus.errors import UnavailableError

log = structlog.get_logger()


class SetupStep(msgspec.Struct, frozen=True, kw_only=True):
    """An idempotent step on a server. `run` raises UnavailableError while the server is unavailable."""

    server: str
    done: str
    run: Callable[[], Awaitable[object]]


async def run_setup(steps: Iterable[SetupStep]) -> None:
    """Run the steps in order, each until its server is available."""
    never = asyncio.Event()
    for step in steps:
        await AsyncRetryLoop(Readiness(step.server), step.server, UnavailableError).run(step.run, never)
        log.info(step.done)
