"""Faults of PostgreSQL on a real server, each for as long as a block lasts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar, LiteralString

import psycopg
from psycopg import sql

from cheeper_local.testing.faults.base import PASSWORD, Fault, Faulty


class PostgresFaults:
    """The faults of a PostgreSQL of the test's own. `url` is that of a role with the privileges granted here alone."""

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
        """Close its connection."""
        self._admin.close()

    def own_all(self) -> None:
        """Grant the role all that the owner of the tables may do, from now on."""
        self._admin.execute("GRANT cheeper TO app")

    @contextmanager
    def no_privilege(self) -> Iterator[None]:
        """Deny writes to the outbox."""
        self._admin.execute("REVOKE INSERT ON outbox FROM app")
        yield
        self._admin.execute("GRANT INSERT ON outbox TO app")

    def cannot_save_cursor(self) -> AbstractContextManager[None]:
        """Let the relay read, and fail to save its cursor: the disk is full."""
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
        """Return a fault that raises the state by a trigger, although nothing is wrong."""

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
