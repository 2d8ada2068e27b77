"""Faults that pass, brought about on a real server, each for as long as a block lasts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Final, LiteralString, Protocol

import psycopg
import redis
from psycopg import sql
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from cheeper_local.waiting import until

PASSWORD: Final = "of-the-test"  # noqa: S105 - a server that ends with its test
Fault = Callable[[], AbstractContextManager[None]]


class Faulty(Protocol):
    """A server whose data folder can be reached."""

    @property
    def url(self) -> str:
        """How clients reach it."""

    @property
    def pid(self) -> int | None:
        """Of its process."""

    @property
    def data(self) -> Path:
        """Where its data is."""


class RedisFaults:
    """Over a Redis of the test's own, as a user who keeps all rights."""

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
        """Gives its connection back."""
        self._admin.close()

    @contextmanager
    def full(self) -> Iterator[None]:
        """Is full."""
        self._admin.config_set("maxmemory", 1)
        yield
        self._admin.config_set("maxmemory", 0)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Is read only."""
        self._admin.replicaof("127.0.0.1", 1)
        yield
        self._admin.replicaof("NO", "ONE")

    @contextmanager
    def without_its_primary(self) -> Iterator[None]:
        """Is without its primary."""
        self._admin.config_set("replica-serve-stale-data", "no")
        with self.read_only():
            yield

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Is busy."""
        self._admin.config_set("busy-reply-threshold", 1)
        script = threading.Thread(target=self._loop_for_ever)
        script.start()
        until(self._is_busy, 20)
        yield
        self._admin.script_kill()
        script.join()

    @contextmanager
    def cannot_save(self) -> Iterator[None]:
        """As with a full disk: the snapshot cannot take the place of the one before."""
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
        """Is wants a password."""
        self._admin.execute_command("ACL", "SETUSER", "default", "resetpass", f">{PASSWORD}")
        self._break_connections()
        yield
        self._admin.execute_command("ACL", "SETUSER", "default", "nopass")

    @contextmanager
    def refuses_commands(self) -> Iterator[None]:
        """Is refuses commands."""
        self._admin.execute_command("ACL", "SETUSER", "default", "-@write", "-@scripting")
        yield
        self._admin.execute_command("ACL", "SETUSER", "default", "+@all")

    @contextmanager
    def too_many_clients(self) -> Iterator[None]:
        """Is too many clients."""
        self._admin.config_set("maxclients", 1)
        self._break_connections()
        yield
        self._admin.config_set("maxclients", 1_000)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Is frozen."""
        assert self._server.pid is not None  # noqa: S101 - it was started
        os.kill(self._server.pid, signal.SIGSTOP)
        yield
        os.kill(self._server.pid, signal.SIGCONT)

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


class MongoFaults:
    """Over a MongoDB of the test's own, which is started with its own means to fail on purpose."""

    codes: ClassVar[dict[str, tuple[int, list[str]]]] = {
        "full": (14031, ["update", "insert"]),
        "no primary": (10107, ["update", "find"]),
        "a conflict": (112, ["update"]),
        "refuses the login": (18, ["find", "update"]),
        "refuses commands": (13, ["update"]),
        "shuts down": (11600, ["update", "commitTransaction"]),
        "interrupted": (11601, ["commitTransaction"]),
        "its quota is used up": (8000, ["update", "insert"]),
    }

    def __init__(self, server: Faulty, app: str) -> None:
        self._app = app
        self._client: MongoClient[dict[str, Any]] = MongoClient(server.url)
        self.names: dict[str, Fault] = {name: self._failing(*what) for name, what in self.codes.items()} | {
            "steps down": self.steps_down,
            "breaks connections": self.breaks_connections,
            "frozen": self.frozen,
        }

    def close(self) -> None:
        """Gives its connection back."""
        self._client.close()

    @contextmanager
    def steps_down(self) -> Iterator[None]:
        """Is steps down."""
        with suppress(PyMongoError):  # it breaks connections
            self._client.admin.command("replSetStepDown", 3_600, force=True)
        yield
        self._client.admin.command("replSetFreeze", 0)
        until(lambda: self._client.admin.command("hello")["isWritablePrimary"], 30)

    def breaks_connections(self) -> AbstractContextManager[None]:
        """Is breaks connections."""
        return self._point({"closeConnection": True, "failCommands": ["update", "commitTransaction"]})

    def frozen(self) -> AbstractContextManager[None]:
        """Is frozen."""
        blocked = {"blockConnection": True, "blockTimeMS": 7_000, "failCommands": ["update"]}
        return self._point(blocked)

    def _failing(self, code: int, commands: list[str]) -> Fault:
        return lambda: self.failing(code, commands)

    def failing(self, code: int, commands: list[str]) -> AbstractContextManager[None]:
        """Answers these commands with the error of this code."""
        return self._point({"errorCode": code, "failCommands": commands})

    @contextmanager
    def _point(self, data: dict[str, Any]) -> Iterator[None]:
        data |= {"appName": self._app}
        self._client.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
        yield
        self._client.admin.command("configureFailPoint", "failCommand", mode="off")


class PostgresFaults:
    """Over a PostgreSQL of the test's own: `url` is that of a role without privileges but those that it is given."""

    states: ClassVar[tuple[str, ...]] = (
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "53100",  # disk_full
        "53200",  # out_of_memory
        "55P03",  # lock_not_available
        "57014",  # query_canceled
        "57P01",  # admin_shutdown
        "58030",  # io_error
        "25P04",  # transaction_timeout
        "XX001",  # data_corrupted
    )

    def __init__(self, server: Faulty) -> None:
        self._admin = psycopg.connect(server.url, autocommit=True)
        self._admin.execute(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
        self._admin.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO app")
        self._admin.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app")
        self.url = re.sub(r"//[^@]*@", f"//app:{PASSWORD}@", server.url)
        self.names: dict[str, Fault] = {state: self._refusing_with(state) for state in self.states} | {
            "no login": self._set("ROLE app NOLOGIN", "ROLE app LOGIN"),
            "another password": self._set("ROLE app PASSWORD 'other'", f"ROLE app PASSWORD '{PASSWORD}'"),
            "too many connections": self._set("ROLE app CONNECTION LIMIT 0", "ROLE app CONNECTION LIMIT -1"),
            "read-only": self._set(
                "ROLE app SET default_transaction_read_only = on", "ROLE app RESET default_transaction_read_only"
            ),
            "no privilege": self.no_privilege,
        }

    def close(self) -> None:
        """Gives its connection back."""
        self._admin.close()

    def own_all(self) -> None:
        """Let the role do what the owner of the tables may, from now on."""
        self._admin.execute("GRANT cheeper TO app")

    @contextmanager
    def no_privilege(self) -> Iterator[None]:
        """May not write the outbox."""
        self._admin.execute("REVOKE INSERT ON outbox FROM app")
        yield
        self._admin.execute("GRANT INSERT ON outbox TO app")

    def cannot_note(self) -> AbstractContextManager[None]:
        """Takes the relay's questions, and not its cursor: the disk is full."""
        return self._refusing_with("53100", "UPDATE ON relay_cursor")()

    def _set(self, done: LiteralString, undone: LiteralString) -> Fault:
        @contextmanager
        def fault() -> Iterator[None]:
            self._admin.execute(f"ALTER {done}")
            self._admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
            yield
            self._admin.execute(f"ALTER {undone}")
            self._admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")

        return fault

    def _refusing_with(self, state: str, what: LiteralString = "INSERT ON outbox") -> Fault:
        """The server itself answers with it, though nothing is wrong: a trigger raises it."""

        @contextmanager
        def fault() -> Iterator[None]:
            raising = f"BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{state}'; END"
            self._admin.execute(
                sql.SQL("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS {}").format(sql.Literal(raising))
            )
            self._admin.execute(f"CREATE TRIGGER fail BEFORE {what} EXECUTE FUNCTION fail()")
            yield
            self._admin.execute("DROP FUNCTION fail CASCADE")

        return fault
