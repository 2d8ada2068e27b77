"""The wait of `after`: one poll loop per view, for all requests that wait.

The loop runs only while requests wait. Each command has its own pause, which is short at first and grows with each
poll, so new commands do not cause polls for older ones. The commands that are due are read in batches of bounded size,
one after another, so that no store is blocked for long.

The loop reads only the commands' records. A mark for "something has changed" would save polls while nothing happens.
But more than a moving checkpoint settles a command (a fan-out task that ends, a message that is replayed, a switch to
another generation), and a mark that misses one of these would let requests wait in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from read_api.query_bus.query import StoreUnavailableError

SHORTEST_PAUSE_SECONDS: Final = 0.005
"""The pause between two polls, and before the first poll for a command."""
LONGEST_PAUSE_SECONDS: Final = 0.05
"""The longest pause between two polls for one command, not counting the time that a poll takes."""
PAUSE_GROWTH: Final = 1.5
BATCH_SIZE: Final = 250
"""Commands in one poll. In Redis a poll is one script, and Redis serves nothing else while it runs."""

SettledCommands = Callable[[Collection[str]], Awaitable[set[str]]]
"""Returns those of some commands whose effects are in a view. Raises StoreUnavailableError."""


def settled_in_all(*views: SettledCommands) -> SettledCommands:
    """Return a function that returns the commands whose effects are in all of some views."""

    async def settled(message_ids: Collection[str]) -> set[str]:
        return set.intersection(*await asyncio.gather(*(view(message_ids) for view in views)))

    return settled


@dataclass(eq=False)
class _AwaitedCommand:
    """A command that requests wait for: the future that releases them, the loop time of the next poll, the number of
    requests, and the pause after the next poll.
    """

    settled: asyncio.Future[None]
    due: float
    requests: int = 0
    pause: float = SHORTEST_PAUSE_SECONDS

    def release(self, error: StoreUnavailableError | None = None) -> None:
        """End the wait of all requests, with an error if one is given."""
        if self.settled.done():
            return
        if error is None:
            self.settled.set_result(None)
        else:
            self.settled.set_exception(error)
            self.settled.exception()  # marks it as retrieved, since the requests may all have left


class Waiter:
    """Lets requests wait until the effects of commands are in one view."""

    def __init__(self, settled_commands: SettledCommands) -> None:
        self._settled_commands = settled_commands
        self._awaited: dict[str, _AwaitedCommand] = {}
        self._loop: asyncio.Task[None] | None = None
        self._closed = False

    async def wait(self, message_id: str, seconds: float) -> None:
        """Return once the command is settled, the time is over, or `close` is called. The caller reads the view again
        to know which.

        Raise StoreUnavailableError if the store becomes unavailable meanwhile.
        """
        if self._closed:
            return
        command = self._register(message_id)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(command.settled), seconds)
        finally:
            command.requests -= 1
            if not command.requests and self._awaited.get(message_id) is command:
                del self._awaited[message_id]

    def close(self) -> None:
        """Release all requests and let none wait any more, since the process is about to end."""
        self._closed = True
        for command in self._awaited.values():
            command.release()

    def _register(self, message_id: str) -> _AwaitedCommand:
        loop = asyncio.get_running_loop()
        command = self._awaited.get(message_id)
        if command is None or command.settled.done():
            command = _AwaitedCommand(loop.create_future(), due=loop.time() + SHORTEST_PAUSE_SECONDS)
            self._awaited[message_id] = command
        command.requests += 1
        if self._loop is None or self._loop.done():
            self._loop = loop.create_task(self._poll(), name="waiter")
        return command

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        took = 0.0
        while self._awaited and not self._closed:
            # However many wait, the polls leave half of the time to all others.
            await asyncio.sleep(max(SHORTEST_PAUSE_SECONDS, took))
            began = loop.time()
            due = [message_id for message_id, command in self._awaited.items() if command.due <= loop.time()]
            for first in range(0, len(due), BATCH_SIZE):
                await self._poll_batch(due[first : first + BATCH_SIZE])
            took = loop.time() - began

    async def _poll_batch(self, message_ids: Iterable[str]) -> None:
        """Release the requests whose commands are settled, and postpone the others."""
        batch = {message_id: self._awaited[message_id] for message_id in message_ids if message_id in self._awaited}
        if not batch:
            return
        try:
            settled = await self._settled_commands(batch.keys())
        except StoreUnavailableError as error:
            for command in batch.values():
                command.release(error)
            return
        now = asyncio.get_running_loop().time()
        for message_id, command in batch.items():
            if message_id in settled:
                command.release()
            command.pause = min(command.pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)
            command.due = now + command.pause
