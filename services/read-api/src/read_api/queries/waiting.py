"""The wait of `after`: one poll loop per view for all requests that wait, however many.

The loop runs only while somebody waits. It begins brisk for the newest and slows down; each look asks for all commands
in one round trip.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from contextlib import suppress

from read_api.queries.asking import Settlements, StoreAwayError

BRISK_SECONDS = 0.005
SLOW_SECONDS = 0.05
SLOWER_BY = 1.5


def in_all(*views: Settlements) -> Settlements:
    """The commands whose effects are in every one of some views."""

    async def settled(message_ids: Collection[str]) -> set[str]:
        return set.intersection(*await asyncio.gather(*(view(message_ids) for view in views)))

    return settled


class Waiter:
    """Lets requests wait until commands' effects are in one view."""

    def __init__(self, settlements: Settlements) -> None:
        self._settlements = settlements
        self._wanted: Counter[str] = Counter()
        self._settled: dict[str, asyncio.Future[None]] = {}
        self._pause = BRISK_SECONDS
        self._loop: asyncio.Task[None] | None = None
        self._closed = False

    async def wait(self, message_id: str, seconds: float) -> None:
        """Return once the command's effects are in, the seconds are over, or `close` was called; look again to know.

        Raises StoreAwayError where the store went away meanwhile.
        """
        if self._closed:
            return
        settled = self._register(message_id)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(settled), seconds)
        finally:
            self._leave(message_id)

    def close(self) -> None:
        """Let everybody go, and keep nobody any more: the process is about to end."""
        self._closed = True
        for settled in self._settled.values():
            _set(settled)

    def _register(self, message_id: str) -> asyncio.Future[None]:
        running = asyncio.get_running_loop()
        self._wanted[message_id] += 1
        self._pause = BRISK_SECONDS
        settled = self._settled.get(message_id)
        if settled is None or settled.done():
            settled = self._settled[message_id] = running.create_future()
        if self._loop is None or self._loop.done():
            self._loop = running.create_task(self._poll(), name="waiter")
        return settled

    def _leave(self, message_id: str) -> None:
        self._wanted[message_id] -= 1
        if not self._wanted[message_id]:
            del self._wanted[message_id]
            del self._settled[message_id]

    async def _poll(self) -> None:
        while self._wanted and not self._closed:
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * SLOWER_BY, SLOW_SECONDS)
            waited_for = list(self._wanted)
            try:
                done = await self._settlements(waited_for)
            except StoreAwayError as error:
                for message_id in waited_for:
                    self._fail(message_id, error)
            else:
                for message_id in done:
                    self._succeed(message_id)

    def _succeed(self, message_id: str) -> None:
        if (settled := self._settled.get(message_id)) is not None:
            _set(settled)

    def _fail(self, message_id: str, error: StoreAwayError) -> None:
        settled = self._settled.get(message_id)
        if settled is not None and not settled.done():
            settled.set_exception(error)
            settled.exception()  # marks it as seen: the requests may all have left


def _set(settled: asyncio.Future[None]) -> None:
    if not settled.done():
        settled.set_result(None)
