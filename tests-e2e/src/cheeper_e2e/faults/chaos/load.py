"""Clients that send random commands without end, and who can be waited for."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

from cheeper_e2e.actions.random_traffic import RandomTraffic

CLIENTS: Final = 8
_PAUSE_SECONDS: Final = 0.05


class Load:
    """Random traffic within the block: about `rate` commands a second. `more` raises what ended it."""

    def __init__(self, traffic: RandomTraffic, rate: float, part: int) -> None:
        self._traffic = traffic
        self._rate = rate
        self._part = part
        self._going_on = True
        self._responded = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        sending = self._traffic.send_while(
            lambda: self._going_on, CLIENTS, pause=CLIENTS / self._rate, part=self._part, tick=self._count
        )
        self._task = asyncio.create_task(sending)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._going_on = False
        assert self._task is not None  # noqa: S101 - made above
        if error is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        else:
            await self._task

    async def more(self, seconds: float = 1) -> None:
        """Wait until as many commands more have a response as are sent in so many seconds when all is well.

        Raises AssertionError or UnavailableError, the load's own.
        """
        wanted = self._responded + self._rate * seconds
        while self._responded < wanted:
            if self._task is not None and self._task.done():
                self._task.result()
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    def _count(self) -> None:
        self._responded += 1
