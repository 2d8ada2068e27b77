"""The role that makes what the others need, waits for the servers as long as it takes, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import msgspec
import structlog

from write_api.bus.errors import UnavailableError
from write_api.ops.backoff import Backoff

log = structlog.get_logger()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something to make on a server, `there` once `make` has returned. `make` raises UnavailableError while the server
    is away, and changes nothing when it is run again.
    """

    server: str
    there: str
    make: Callable[[], Awaitable[object]]


async def migrate(steps: Iterable[Step]) -> None:
    """Take the steps, in order."""
    for step in steps:
        await _until_available(step)
        log.info("is there", what=step.there)


async def _until_available(step: Step) -> None:
    backoff = Backoff()
    while True:
        try:
            await step.make()
        except UnavailableError as error:
            log.info("waiting", waiting_for=step.server, why=str(error))
        else:
            return
        await asyncio.sleep(backoff.next())
