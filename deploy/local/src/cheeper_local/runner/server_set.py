"""The servers of a stack: started side by side, restarted when one dies, stopped with the broker last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from cheeper_local.errors import LocalError
from cheeper_local.runner.output import Output, rotate
from cheeper_local.servers import Mongo, Postgres, RateLimitStore, Redis, Server
from cheeper_local.servers.broker import Choice

BROKER: Final = "kafka"
NAMES: Final = ("postgres", "redis", "mongo", BROKER)
"""The servers' names in commands and in ports.json; `kafka` is the broker, Kafka or Tansu."""
LIMITS: Final = "limits"
"""The server of rate limits, which a stack has only while they are on."""

_WATCH_SECONDS = 0.5
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class ServerSet:
    """The servers by name, those of `names`."""

    def __init__(  # noqa: PLR0913, PLR0917 - where each part of a server is
        self,
        folder: Path,
        logs: Path,
        names: Sequence[str],
        ports: Mapping[str, int],
        broker: Choice,
        output: Output,
        *,
        keep_open: tuple[int, ...] = (),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        kinds: dict[str, type[Server]] = {
            "postgres": Postgres,
            "redis": Redis,
            "mongo": Mongo,
            BROKER: broker.broker,
            LIMITS: RateLimitStore,
        }
        self.by_name: dict[str, Server] = {
            name: kind(folder / kind.name, ports[name], log=logs / f"{kind.name}.log")
            for name, kind in kinds.items()
            if name in names
        }
        self.broker_is_durable = broker.broker.durable
        self._output = output
        self._on_change = on_change
        self._wanted: set[str] = set()
        self._watches: dict[str, asyncio.Task[None]] = {}
        for server in self.by_name.values():
            server.keep_open = keep_open
            rotate(server.log)

    @property
    def urls(self) -> dict[str, str]:
        """The servers' URLs by name."""
        return {name: server.url for name, server in self.by_name.items()}

    async def start_all(self) -> None:
        """Start all side by side. Raises the first LocalError."""
        starts = [asyncio.create_task(self.start(name)) for name in self.by_name]
        try:
            await asyncio.gather(*starts)
        finally:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)

    async def start(self, name: str) -> None:
        """Start a server, and keep it running. Raises LocalError."""
        self._wanted.add(name)
        await self._start(self.by_name[name])
        if name not in self._watches:
            self._watches[name] = asyncio.create_task(self._watch(name))
        self._on_change()

    async def stop(self, name: str) -> None:
        """End a server cleanly, and leave it stopped."""
        await self._leave_stopped(name)
        await asyncio.to_thread(self.by_name[name].stop)
        self._output.report(self.by_name[name].name, "stopped")
        self._on_change()

    async def kill(self, name: str) -> None:
        """End a server as a power cut would, and leave it stopped."""
        await self._leave_stopped(name)
        await asyncio.to_thread(self.by_name[name].kill)
        self._on_change()

    async def wipe(self, name: str) -> None:
        """End a server, remove its data, and leave it stopped."""
        await self._leave_stopped(name)
        await asyncio.to_thread(self.by_name[name].wipe)
        self._on_change()

    async def save(self, name: str) -> None:
        """Copy the data of a stopped server aside. Raises LocalError."""
        await asyncio.to_thread(self.by_name[name].save)

    async def restore(self, name: str) -> None:
        """Replace the data of a stopped server by the copy of `save`. Raises LocalError."""
        await asyncio.to_thread(self.by_name[name].restore)

    async def stop_all(self) -> None:
        """End all: the broker after the stores, since it may keep its data in memory only."""
        await asyncio.gather(*(self.stop(name) for name in self.by_name if name != BROKER))
        await self.stop(BROKER)

    async def _start(self, server: Server) -> None:
        if server.running:
            return
        self._output.report(server.name, "starting")
        await asyncio.to_thread(server.prepare)
        server.spawn()  # from this thread, which lives as long as the stack: see `processes.leashed`
        try:
            await asyncio.to_thread(server.wait_ready)
        except asyncio.CancelledError:
            server.kill()  # ends the wait in its thread too
            raise
        self._output.report(server.name, f"ready on {server.address}")

    async def _leave_stopped(self, name: str) -> None:
        self._wanted.discard(name)
        watch = self._watches.pop(name, None)
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _watch(self, name: str) -> None:
        server, pause = self.by_name[name], _FIRST_PAUSE
        while name in self._wanted:
            await asyncio.sleep(_WATCH_SECONDS)
            if server.running:
                continue
            self._output.report(server.name, f"died ({server.last_line()}); restarting")
            try:
                await self._start(server)
            except LocalError as error:
                self._output.report(server.name, f"{error} Retrying in {pause:g} s.")
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                self._on_change()
