"""Hints to the relay that the outbox has new messages. They are sent after the commit, one at a time."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from write_api import outbox
from write_api.db.engine import autocommitting

log = structlog.get_logger()


class Hints:
    """Sends hints in the background. A lost hint costs the relay one polling interval, so it is only logged."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = autocommitting(engine)
        self._wanted = False
        self._sending: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Hint soon. Return at once and never raise."""
        self._wanted = True
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def close(self) -> None:
        """Wait until the last hint is sent."""
        if self._sending is not None:
            await self._sending

    async def _send(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                async with self._engine.connect() as connection:
                    await outbox.hint(connection)
            except (SQLAlchemyError, OSError) as error:
                log.debug("hint to the relay lost", reason=type(error).__name__)
