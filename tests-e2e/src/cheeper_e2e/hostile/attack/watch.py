"""The processes of a stack while it is attacked: memory, readiness and restarts."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec
import psutil

from cheeper_local.running import RunningStack

_PAUSE_SECONDS: Final = 0.5
_HEALTH_SECONDS: Final = 20.0


class Watched(msgspec.Struct, kw_only=True):
    """The findings of a watch: bytes of each process before and at most, bytes of each server before and after, and a
    sentence for each restart and each health page that was not ready.
    """

    before: dict[str, int] = msgspec.field(default_factory=dict)
    most: dict[str, int] = msgspec.field(default_factory=dict)
    servers_before: dict[str, int] = msgspec.field(default_factory=dict)
    servers_after: dict[str, int] = msgspec.field(default_factory=dict)
    not_ready: list[str] = msgspec.field(default_factory=list)
    restarted: list[str] = msgspec.field(default_factory=list)

    def growth(self) -> tuple[str, int, float]:
        """Return the process that grew most: its name, the bytes, and the factor. Raise ValueError without one."""
        name = max(self.before, key=lambda each: self.most[each] - self.before[each])
        return name, self.most[name] - self.before[name], self.most[name] / self.before[name]


class Watch:
    """Watches within the block. `found` is complete after it, at whose end an error of the watch itself is raised."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._task: asyncio.Task[None] | None = None
        self.found = Watched()

    async def __aenter__(self) -> Self:
        self._processes = self._stack.processes()
        self._servers = {name: server["pid"] for name, server in self._stack.state["servers"].items() if server["pid"]}
        self.found.before = self._memory()
        self.found.most = dict(self.found.before)
        self.found.servers_before = {name: tree_bytes(pid) for name, pid in self._servers.items()}
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None  # noqa: S101 - made above
        self._task.cancel()
        [ended] = await asyncio.gather(self._task, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended  # a watch that ended early has seen nothing since
        self._note_memory()
        self.found.servers_after = {name: tree_bytes(pid) for name, pid in self._servers.items()}
        for name, process in self._stack.processes().items():
            if (process["pid"], process["restarts"]) != self._identity(name):
                self.found.restarted.append(f"{name} was restarted")

    def _identity(self, name: str) -> tuple[int, int]:
        return self._processes[name]["pid"], self._processes[name]["restarts"]

    async def _watch(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=_HEALTH_SECONDS, verify=False) as http:  # noqa: S501 - http only
            while True:
                for name, process in self._processes.items():
                    await self._check_health(http, name, f"http://127.0.0.1:{process['port']}{process['health']}")
                self._note_memory()
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _check_health(self, http: httpx.AsyncClient, name: str, url: str) -> None:
        began = time.monotonic()
        try:
            response = await http.get(url)
        except httpx.HTTPError as error:
            self.found.not_ready.append(f"{name}: {error!r} after {time.monotonic() - began:.1f} s")
            return
        if response.status_code != httpx.codes.OK:
            self.found.not_ready.append(f"{name}: {response.status_code} {response.text}")

    def _memory(self) -> dict[str, int]:
        return {name: tree_bytes(process["pid"]) for name, process in self._processes.items() if process["pid"]}

    def _note_memory(self) -> None:
        for name, now in self._memory().items():
            self.found.most[name] = max(now, self.found.most.get(name, 0))


def tree_bytes(pid: int) -> int:
    """Return the resident memory of a process and its children, shared pages counted once; 0 if it has ended."""
    try:
        process = psutil.Process(pid)
        children = process.children(recursive=True)
        if not children:
            return int(process.memory_info().rss)
        return sum(int(each.memory_full_info().pss) for each in (process, *children))
    except psutil.NoSuchProcess:
        return 0
