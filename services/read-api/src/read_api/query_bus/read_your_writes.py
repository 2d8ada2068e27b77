"""The wait of `after`: one poll loop per view for all requests that wait, however many.

The loop runs only while somebody waits. Each command has a pace of its own: it is asked for briskly when it is new and
then more and more rarely, so a newcomer does not make all the others be asked for again. What is due is asked for in
looks of bounded size, one after another, so that no store is held up by one of them.

Only the records are asked. A mark that says "something has changed" would save looks while nothing happens, but what
settles a command is more than a checkpoint that moves (a fan-out task that ends, a message that is replayed, another
generation that is switched to), and a mark that misses one of these would let readers wait in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from read_api.query_bus.query import Settlements, StoreAwayError

BRISK_SECONDS: Final = 0.005
"""Between a look and the next at least, and before the first for a command."""
SLOW_SECONDS: Final = 0.05
"""Between two looks for one command at most, as long as a look takes no time."""
SLOWER_BY: Final = 1.5
ASKED_AT_ONCE: Final = 250
"""Commands in one look: in Redis a look is one script, for whose time nobody else is served."""


def in_all(*views: Settlements) -> Settlements:
    """The commands whose effects are in every one of some views."""

    async def settled(message_ids: Collection[str]) -> set[str]:
        return set.intersection(*await asyncio.gather(*(view(message_ids) for view in views)))

    return settled


@dataclass(eq=False)
class _Wanted:
    """A command that is waited for: by how many, what lets them go, when it is next asked for, in the loop's time."""

    settled: asyncio.Future[None]
    due: float
    readers: int = 0
    pause: float = BRISK_SECONDS


class Waiter:
    """Lets requests wait until commands' effects are in one view."""

    def __init__(self, settlements: Settlements) -> None:
        self._settlements = settlements
        self._wanted: dict[str, _Wanted] = {}
        self._loop: asyncio.Task[None] | None = None
        self._closed = False

    async def wait(self, message_id: str, seconds: float) -> None:
        """Return once the command's effects are in, the seconds are over, or `close` was called; look again to know.

        Raises StoreAwayError where the store went away meanwhile.
        """
        if self._closed:
            return
        wanted = self._register(message_id)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(wanted.settled), seconds)
        finally:
            wanted.readers -= 1
            if not wanted.readers and self._wanted.get(message_id) is wanted:
                del self._wanted[message_id]

    def close(self) -> None:
        """Let everybody go, and keep nobody any more: the process is about to end."""
        self._closed = True
        for wanted in self._wanted.values():
            _let_go(wanted)

    def _register(self, message_id: str) -> _Wanted:
        running = asyncio.get_running_loop()
        wanted = self._wanted.get(message_id)
        if wanted is None or wanted.settled.done():
            wanted = _Wanted(running.create_future(), due=running.time() + BRISK_SECONDS)
            self._wanted[message_id] = wanted
        wanted.readers += 1
        if self._loop is None or self._loop.done():
            self._loop = running.create_task(self._poll(), name="waiter")
        return wanted

    async def _poll(self) -> None:
        running = asyncio.get_running_loop()
        while self._wanted and not self._closed:
            await asyncio.sleep(BRISK_SECONDS)
            due = [message_id for message_id, wanted in self._wanted.items() if wanted.due <= running.time()]
            for first in range(0, len(due), ASKED_AT_ONCE):
                await self._look(due[first : first + ASKED_AT_ONCE])

    async def _look(self, message_ids: list[str]) -> None:
        """Ask for some commands, let go whoever waits for one that is settled, and put the others off."""
        wanted = {message_id: self._wanted[message_id] for message_id in message_ids if message_id in self._wanted}
        if not wanted:
            return
        try:
            settled = await self._settlements(wanted.keys())
        except StoreAwayError as error:
            for each in wanted.values():
                _fail(each, error)
            return
        now = asyncio.get_running_loop().time()
        for message_id, each in wanted.items():
            if message_id in settled:
                _let_go(each)
            each.pause = min(each.pause * SLOWER_BY, SLOW_SECONDS)
            each.due = now + each.pause


def _let_go(wanted: _Wanted) -> None:
    if not wanted.settled.done():
        wanted.settled.set_result(None)


def _fail(wanted: _Wanted, error: StoreAwayError) -> None:
    if not wanted.settled.done():
        wanted.settled.set_exception(error)
        wanted.settled.exception()  # marks it as seen: the requests may all have left
