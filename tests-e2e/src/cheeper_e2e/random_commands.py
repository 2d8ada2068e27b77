"""Random commands by concurrent clients: a seeded draw of every command about few people, so that they meet.

Among them are repeats with the same key, acts that are already true, ids that are taken, and what is refused at the
edge or by the domain. What each client draws is fixed by the seed; how the clients interleave is not.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from cheeper_e2e.acts import Scene
from cheeper_e2e.client import Client
from cheeper_e2e.drawing import Drawing
from cheeper_e2e.parallel import in_parallel
from cheeper_e2e.progress import Tick, no_tick
from cheeper_e2e.sending import Sender

PEOPLE: Final = 24
_REPEATED: Final = 0.07
_KEY_REUSED: Final = 0.02


class Storm:
    """People, what was sent in their names, and how to send more of it.

    Ids of the people, follows and cheeps are new each time, so that a storm meets no other; all choices are the seed's.
    """

    def __init__(self, client: Client, seed: int, *, people: int = PEOPLE) -> None:
        self._seed = seed
        self._drawing = Drawing(Scene(str(uuid.uuid4())), people)
        self.sender = Sender(client)
        self.scene = self._drawing.scene
        self.author_ids = [self.scene.id_of("author", number) for number in range(people)]

    async def rage(self, commands: int, clients: int, *, part: int = 0, tick: Tick = no_tick) -> None:
        """Send so many commands, divided among so many clients at once. Raises AssertionError on a wrong answer."""

        async def one_client(number: int) -> None:
            draw = self._draw(part, number)
            for _ in range(number, commands, clients):
                await self._act(draw)
                tick()

        await self._side_by_side(one_client, clients)

    async def rage_on(
        self, go_on: Callable[[], bool], clients: int, *, pause: float, part: int = 0, tick: Tick = no_tick
    ) -> None:
        """Send commands by so many clients at once for as long as they shall go on, each with a drawn pause before each
        command, of so many seconds on average. Raises AssertionError on a wrong answer.
        """

        async def one_client(number: int) -> None:
            draw = self._draw(part, number)
            while go_on():
                await asyncio.sleep(draw.expovariate(1 / pause))
                await self._act(draw)
                tick()

        await self._side_by_side(one_client, clients)

    async def _side_by_side(self, one_client: Callable[[int], Awaitable[None]], clients: int) -> None:
        self.sender.begin_step()
        await in_parallel((partial(one_client, number) for number in range(clients)), clients)

    def _draw(self, part: int, number: int) -> random.Random:
        return random.Random(f"{self._seed} {part} {number}")  # noqa: S311 - a draw that can be repeated

    async def _act(self, draw: random.Random) -> None:
        act, chance = self._drawing.act(draw), draw.random()
        if not self.sender.sent or chance > _REPEATED + _KEY_REUSED:
            await self.sender.send(act)
            return
        sent = draw.choice(self.sender.sent)
        if chance < _REPEATED:
            await self.sender.repeat(sent)
        elif act != sent.act and act.certain is None:
            await self.sender.reuse_key(sent, act)
