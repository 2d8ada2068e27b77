"""Random commands by concurrent clients: a seeded draw of every command about few authors, so that they meet.

Among them are repeats with the same key, actions that are already true, ids that are taken, and what is refused at the
edge or by the domain. What each client draws is fixed by the seed; how the clients interleave is not.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from cheeper_e2e.actions.actions import Scene
from cheeper_e2e.actions.drawing import Drawing
from cheeper_e2e.actions.sender import Sender
from cheeper_e2e.console import Tick, no_tick
from cheeper_e2e.http.client import Client
from cheeper_e2e.http.parallel import in_parallel

AUTHORS: Final = 24
_REPEATED: Final = 0.07
_KEY_REUSED: Final = 0.02


class RandomTraffic:
    """Authors, the commands that were sent in their names, and the draw of more.

    Ids of the authors, follows and cheeps are new each time, so that no two runs meet; the seed decides all else.
    """

    def __init__(self, client: Client, seed: int, *, authors: int = AUTHORS) -> None:
        self._seed = seed
        self._drawing = Drawing(Scene(str(uuid.uuid4())), authors)
        self.sender = Sender(client)
        self.scene = self._drawing.scene
        self.author_ids = [self.scene.id_of("author", number) for number in range(authors)]

    async def send(self, commands: int, clients: int, *, part: int = 0, tick: Tick = no_tick) -> None:
        """Send so many commands, divided among so many clients at once. Raises AssertionError on a wrong response."""

        async def one_client(number: int) -> None:
            draw = self._draw(part, number)
            for _ in range(number, commands, clients):
                await self._send_one(draw)
                tick()

        await self._concurrently(one_client, clients)

    async def send_while(
        self, go_on: Callable[[], bool], clients: int, *, pause: float, part: int = 0, tick: Tick = no_tick
    ) -> None:
        """Send commands by so many clients at once for as long as they shall go on, each with a drawn pause before each
        command, of so many seconds on average. Raises AssertionError on a wrong response.
        """

        async def one_client(number: int) -> None:
            draw = self._draw(part, number)
            while go_on():
                await asyncio.sleep(draw.expovariate(1 / pause))
                await self._send_one(draw)
                tick()

        await self._concurrently(one_client, clients)

    async def _concurrently(self, one_client: Callable[[int], Awaitable[None]], clients: int) -> None:
        self.sender.begin_step()
        await in_parallel((partial(one_client, number) for number in range(clients)), clients)

    def _draw(self, part: int, number: int) -> random.Random:
        return random.Random(f"{self._seed} {part} {number}")  # noqa: S311 - a draw that can be repeated

    async def _send_one(self, draw: random.Random) -> None:
        action, chance = self._drawing.action(draw), draw.random()
        if not self.sender.sent or chance > _REPEATED + _KEY_REUSED:
            await self.sender.send(action)
            return
        sent = draw.choice(self.sender.sent)
        if chance < _REPEATED:
            await self.sender.repeat(sent)
        elif action != sent.action and action.certain is None:
            await self.sender.reuse_key(sent, action)
