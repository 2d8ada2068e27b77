"""The disturbances of a stack while the load goes on."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import redis

from cheeper_e2e.faults.chaos.groups import Groups
from cheeper_e2e.faults.chaos.load import Load
from cheeper_e2e.faults.chaos.plan import REPLICAS, Disturbance
from cheeper_local.running import RunningStack
from cheeper_local.waiting import until

_UP_SECONDS: Final = 60
_REBALANCE_SECONDS: Final = 120


class Disturber:
    """Does them, one after the other. Each raises TimeoutError or LocalError where the stack does not follow.

    `killed` counts the kills of each process.
    """

    def __init__(self, stack: RunningStack) -> None:
        self.killed: Counter[str] = Counter()
        self._stack = stack
        self._groups = Groups(stack.environment)
        self._ways: dict[str, Callable[[Disturbance, Load], Awaitable[None]]] = {
            "kill": self._kill,
            "kill server": self._kill_server,
            "outage": self._outage,
            "freeze": self._freeze,
            "remove": self._remove,
            "lose": self._lose,
            "restore": self._restore,
            "flush": self._flush,
        }

    async def disturb(self, disturbance: Disturbance, load: Load) -> None:
        """Do it, and undo what lasts."""
        await self._ways[disturbance.kind](disturbance, load)

    async def wipe(self, server: str) -> None:
        """Empty it. Of the broker while nothing is accepted and unhandled, and no load goes on."""
        await self._server(server, "wipe")
        await self._server(server, "start")

    async def _kill(self, disturbance: Disturbance, load: Load) -> None:
        await self._kill_process(disturbance.target)
        await load.more(0.5)

    async def _kill_server(self, disturbance: Disturbance, load: Load) -> None:
        await self._server(disturbance.target, "kill")
        await self._server(disturbance.target, "start")
        await load.more()

    async def _outage(self, disturbance: Disturbance, load: Load) -> None:
        await self._server(disturbance.target, "stop")
        try:
            await self._meanwhile(disturbance)
            await asyncio.sleep(disturbance.seconds)
        finally:
            await self._server(disturbance.target, "start")
        await load.more()

    async def _freeze(self, disturbance: Disturbance, load: Load) -> None:
        await asyncio.to_thread(self._stack.freeze, disturbance.target)
        try:
            await self._meanwhile(disturbance)
            await self._shared_among(disturbance.target, REPLICAS - 1)
            await load.more()
        finally:
            await asyncio.to_thread(self._stack.thaw, disturbance.target)
        await load.more()

    async def _remove(self, disturbance: Disturbance, load: Load) -> None:
        await asyncio.to_thread(self._stack.stop_process, disturbance.target)
        try:
            await self._meanwhile(disturbance)
            await self._shared_among(disturbance.target, REPLICAS - 1)
            await load.more()
        finally:
            await asyncio.to_thread(self._stack.start_process, disturbance.target)
        await self._shared_among(disturbance.target, REPLICAS)

    async def _lose(self, disturbance: Disturbance, load: Load) -> None:
        await self._server(disturbance.target, "kill")
        files = (Path(self._stack.state["data"]) / disturbance.target / "data").glob("appendonlydir/*.incr.aof")
        newest = max(files, key=lambda file: int(file.name.split(".")[-3]))
        os.truncate(newest, max(0, newest.stat().st_size - disturbance.lost))
        await self._server(disturbance.target, "start")
        await load.more()

    async def _restore(self, disturbance: Disturbance, load: Load) -> None:
        server = disturbance.target
        for action in ("stop", "save", "start"):
            await self._server(server, action)
        await load.more(2)
        await self._meanwhile(disturbance)
        await load.more()
        for action in ("stop", "restore", "start"):
            await self._server(server, action)
        await load.more()

    async def _flush(self, _: Disturbance, load: Load) -> None:
        with redis.Redis.from_url(self._stack.environment["REDIS_URL"]) as client:
            await asyncio.to_thread(client.flushall)
        await load.more()

    async def _meanwhile(self, disturbance: Disturbance) -> None:
        if disturbance.meanwhile is not None:
            await self._kill_process(disturbance.meanwhile)

    async def _kill_process(self, name: str) -> None:
        """Kill a process that is at work: one that is only being started has nothing to lose."""
        await _until(partial(self._responds, name), _UP_SECONDS, f"{name} is at work")
        pids = await asyncio.to_thread(self._stack.kill, name)
        self.killed[name] += len(pids)

    def _responds(self, name: str) -> bool:
        process = self._stack.processes()[name]
        try:
            httpx.get(f"http://127.0.0.1:{process['port']}{process['health']}", trust_env=False)
        except httpx.TransportError:
            return False
        return True

    async def _shared_among(self, process: str, members: int) -> None:
        role = self._stack.processes()[process]["role"]
        are_shared = partial(self._groups.shared_among, role, members)
        try:
            await _until(are_shared, _REBALANCE_SECONDS, f"{members} of {role} have all partitions")
        except TimeoutError as late:
            raise TimeoutError(f"{late}: {await asyncio.to_thread(self._groups.described, role)}") from None

    async def _server(self, name: str, action: str) -> None:
        await asyncio.to_thread(self._stack.server, name, action)


async def _until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    await asyncio.to_thread(until, condition, seconds, what=what)
