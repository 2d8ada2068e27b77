"""A failover of each server under load, then every view against the write model, and the audit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from cheeper_contracts.kafka import topics
from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.faults.chaos.load import CLIENTS, Load
from cheeper_e2e.faults.chaos.verification import Verification
from cheeper_e2e.faults.failovers.stack import ReplicatedStack
from cheeper_e2e.http.client import Client

AUTHORS: Final = 40
_LOST_SECONDS: Final = 1.0


class Failovers:
    """One run over a stack. `say` gets a line for each failover and each step at the end."""

    def __init__(
        self, stack: ReplicatedStack, *, seed: int, rate: float, patience: float, say: Callable[[str], object]
    ) -> None:
        self._stack = stack
        self._seed = seed
        self._rate = rate
        self._patience = patience
        self._say = say

    async def problems(self) -> list[str]:
        """Let a replica of each server take over, and return a description of each thing that is wrong in the end."""
        stack = self._stack
        async with Client(stack.gateway, patience=self._patience, connections=CLIENTS * 3) as client:
            traffic = RandomTraffic(client, self._seed, authors=AUTHORS)
            async with Load(traffic, self._rate, 0) as load:
                await load.more(2)
                await self._fail_over(load)
            await asyncio.to_thread(stack.wait_ready)
            verification = Verification(traffic, client, stack.environment, patience=self._patience, say=self._say)
            return [*await verification.problems(), *(f"{name} has ended" for name in stack.ended())]

    async def _fail_over(self, load: Load) -> None:
        stack = self._stack
        async with self._reported("PostgreSQL's primary is killed, its standby promoted", load):
            await asyncio.to_thread(stack.postgres.promote)
        await asyncio.to_thread(stack.redis.stop_replicating)
        await load.more(_LOST_SECONDS)
        async with self._reported("Redis is killed, its replica promoted without the last second", load):
            await asyncio.to_thread(stack.redis.promote)
        for how in ("killed", "frozen"):
            async with self._reported(f"MongoDB's primary is {how}", load):
                with stack.mongo.failed(stack.mongo.primary(), how):
                    await load.more()
            await asyncio.to_thread(stack.mongo.wait_whole)
            async with self._reported(f"Kafka's leader of a partition of events is {how}", load):
                with stack.kafka.failed(stack.kafka.leader(topics.EVENTS.name, 0), how):
                    await load.more()
            await asyncio.to_thread(stack.kafka.wait_whole)

    @asynccontextmanager
    async def _reported(self, failover: str, load: Load) -> AsyncIterator[None]:
        began = time.monotonic()
        yield
        await load.more()
        self._say(f"{failover}: a second's load took {time.monotonic() - began:.1f} s")
