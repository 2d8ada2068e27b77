"""Faults of Redis on a real server, each for as long as a block lasts."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import redis

from cheeper_local.testing.faults.base import PASSWORD, Fault, Faulty, frozen
from cheeper_local.waiting import until


class RedisFaults:
    """The faults of a Redis of the test's own, made by a user who keeps all rights."""

    def __init__(self, server: Faulty) -> None:
        self._server = server
        with redis.Redis.from_url(server.url) as client:
            anything: Any = client
            anything.execute_command("ACL", "SETUSER", "admin", "on", f">{PASSWORD}", "~*", "&*", "+@all")
        self._admin: Any = redis.Redis.from_url(server.url, username="admin", password=PASSWORD)
        self.names: dict[str, Fault] = {
            "full": self.full,
            "read-only": self.read_only,
            "without its primary": self.without_its_primary,
            "busy": self.busy,
            "cannot save": self.cannot_save,
            "wants a password": self.wants_a_password,
            "refuses commands": self.refuses_commands,
            "too many clients": self.too_many_clients,
            "frozen": self.frozen,
        }

    def close(self) -> None:
        """Close its connection."""
        self._admin.close()

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave it no memory for a write."""
        self._admin.config_set("maxmemory", 1)
        yield
        self._admin.config_set("maxmemory", 0)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Make it a replica, which takes no writes."""
        self._admin.replicaof("127.0.0.1", 1)
        yield
        self._admin.replicaof("NO", "ONE")

    @contextmanager
    def without_its_primary(self) -> Iterator[None]:
        """Make it a replica that serves no reads while its primary is unavailable."""
        self._admin.config_set("replica-serve-stale-data", "no")
        with self.read_only():
            yield

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep it busy with a script that does not end."""
        self._admin.config_set("busy-reply-threshold", 1)
        script = threading.Thread(target=self._loop_for_ever)
        script.start()
        until(self._is_busy, 20)
        yield
        self._admin.script_kill()
        script.join()

    @contextmanager
    def cannot_save(self) -> Iterator[None]:
        """Let its snapshot fail, as with a full disk."""
        self._admin.config_set("save", "3600 1000000")
        in_its_place = self._server.data / "dump.rdb"
        (in_its_place / "full").mkdir(parents=True)
        self._admin.bgsave()
        until(lambda: self._admin.info("persistence")["rdb_last_bgsave_status"] == "err", 20)
        yield
        shutil.rmtree(in_its_place)
        self._admin.bgsave()
        until(lambda: self._admin.info("persistence")["rdb_last_bgsave_status"] == "ok", 20)

    @contextmanager
    def wants_a_password(self) -> Iterator[None]:
        """Let it require a password that its clients do not have."""
        self._admin.execute_command("ACL", "SETUSER", "default", "resetpass", f">{PASSWORD}")
        self._break_connections()
        yield
        self._admin.execute_command("ACL", "SETUSER", "default", "nopass")

    @contextmanager
    def refuses_commands(self) -> Iterator[None]:
        """Deny its clients writes and scripts."""
        self._admin.execute_command("ACL", "SETUSER", "default", "-@write", "-@scripting")
        yield
        self._admin.execute_command("ACL", "SETUSER", "default", "+@all")

    @contextmanager
    def too_many_clients(self) -> Iterator[None]:
        """Let it accept no further client."""
        self._admin.config_set("maxclients", 1)
        self._break_connections()
        yield
        self._admin.config_set("maxclients", 1_000)

    def frozen(self) -> AbstractContextManager[None]:
        """Suspend it: it accepts connections, and responds to nothing."""
        return frozen(self._server)

    def _break_connections(self) -> None:
        self._admin.client_kill_filter(_type="normal", skipme=True)

    def _loop_for_ever(self) -> None:
        with (
            suppress(redis.ResponseError),
            redis.Redis.from_url(self._server.url, username="admin", password=PASSWORD) as client,
        ):
            client.eval("while true do end", 0)

    def _is_busy(self) -> bool:
        try:
            self._admin.ping()
        except redis.ResponseError as error:
            return str(error).startswith("BUSY")
        return False
