"""The role that makes the schema and the topics, waits for their servers as long as it takes, and ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from write_api.commands.errors import UnavailableError
from write_api.db.engine import create_engine
from write_api.db.migrate import migrate as migrate_schema
from write_api.settings import Settings

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0

T = TypeVar("T")

log = structlog.get_logger()


async def migrate(settings: Settings) -> None:
    """Make what is missing. Running it again, or twice at once, changes nothing."""
    engine = create_engine(settings.database_url, application_name="write-api-migrate", pool_size=1)
    try:
        revision = await _until_available("Postgres", lambda: migrate_schema(engine))
        log.info("schema is up to date", revision=revision)
    finally:
        await engine.dispose()


async def _until_available(what: str, work: Callable[[], Awaitable[T]]) -> T:
    pause = _FIRST_PAUSE
    while True:
        try:
            return await work()
        except UnavailableError as error:
            log.info("waiting", waiting_for=what, why=str(error))
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter keeps no secret
        pause = min(pause * 2, _LONGEST_PAUSE)
