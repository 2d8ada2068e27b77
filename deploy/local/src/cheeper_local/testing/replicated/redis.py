"""A Redis and its replica, which is promoted after the primary has died."""

from __future__ import annotations

from pathlib import Path

import redis
from typing_extensions import override

from cheeper_local.servers import Redis
from cheeper_local.servers.base import Command
from cheeper_local.system.ports import HOST
from cheeper_local.testing.faults.proxy import Proxy
from cheeper_local.waiting import until


class _Replica(Redis):
    """A replica of the Redis at `port_of_primary`, which a proxy may stand before."""

    def __init__(self, folder: Path, *, port_of_primary: int) -> None:
        super().__init__(folder, fast=True)
        self._port_of_primary = port_of_primary

    @override
    def command(self) -> Command:
        command = super().command()
        return command._replace(line=[*command.line, "--replicaof", f"{HOST} {self._port_of_primary}"])

    @override
    def is_ready(self) -> bool:
        """Check that it has the primary's data and follows it."""
        return super().is_ready() and self._replication().get("master_link_status") == "up"

    def promote(self) -> None:
        """Make it a primary, with what it has received."""
        with redis.Redis(host=HOST, port=self.port, socket_timeout=5) as client:
            client.replicaof("NO", "ONE")

    def has_received(self, primary: Redis) -> bool:
        """Check that it has everything that the primary has written by now."""
        with redis.Redis(host=HOST, port=primary.port, socket_timeout=5) as client:
            written = client.info("replication")["master_repl_offset"]
        return bool(self._replication().get("slave_repl_offset", -1) >= written)

    def _replication(self) -> dict[str, int | str]:
        try:
            with redis.Redis(host=HOST, port=self.port, socket_timeout=5) as client:
                return dict(client.info("replication"))
        except redis.RedisError:
            return {}


class RedisPair:
    """A running primary and its replica, with its data in `folder`. Clients reach the one that takes writes at `url`,
    as by a name that is moved from one to the other.
    """

    def __init__(self, primary: Redis, folder: Path) -> None:
        self._primary = primary
        self._link, self._front = (Proxy((HOST, primary.port)) for _ in range(2))
        self._link.start()
        self._front.start()
        self._replica = _Replica(folder, port_of_primary=self._link.port)
        self._replica.start()
        self.url = primary.url.replace(f":{primary.port}/", f":{self._front.port}/")

    def stop_replicating(self) -> None:
        """Let the replica have everything that is written by now, and nothing that is written later."""
        until(lambda: self._replica.has_received(self._primary), what="the replica has received everything")
        self._link.stalled = True

    def promote(self) -> None:
        """Kill the primary, promote the replica, and send clients there."""
        self._primary.kill()
        self._replica.promote()
        self._front.upstream = HOST, self._replica.port
        self._front.cut()

    def close(self) -> None:
        """End the replica and the ways to both."""
        self._replica.wipe()
        self._link.stop()
        self._front.stop()
