"""A standby of a PostgreSQL: it streams what the primary writes, until it is promoted."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from typing_extensions import override

from cheeper_local.errors import LocalError
from cheeper_local.servers.postgres import DATABASE, ROLE, Postgres
from cheeper_local.system.ports import HOST
from cheeper_local.testing.faults.proxy import Proxy
from cheeper_local.waiting import until

_PROMOTE_SECONDS = 60


class PostgresStandby(Postgres):
    """A standby of `primary`, which must be running when this is first started.

    It streams from `port_of_primary`, which is the primary's own unless a proxy stands between them.
    """

    def __init__(self, folder: Path, primary: Postgres, *, port_of_primary: int | None = None) -> None:
        super().__init__(folder, fast=primary.fast)
        self._primary = primary
        self._port_of_primary = port_of_primary or primary.port

    @override
    def prepare(self) -> None:
        if self._data_version() is not None:
            return
        self._make_data_folder()
        source = f"host={HOST} port={self._port_of_primary} user={ROLE} password={self._password()}"
        result = self._run("pg_basebackup", "-d", source, "-D", self.data, "-R", "-c", "fast", "--no-sync")
        if result.returncode != 0:
            raise LocalError(f"PostgreSQL could not copy its primary: {re.sub('password=.*', '', result.stderr)}")

    @override
    def is_ready(self) -> bool:
        try:
            with self._connect(DATABASE):
                return True
        except psycopg.OperationalError:
            return False

    def promote(self) -> None:
        """Make it a primary, and return once it takes writes."""
        with self._connect(DATABASE) as connection:
            connection.execute("SELECT pg_promote()")
        late = LocalError(f"PostgreSQL was not promoted within {_PROMOTE_SECONDS} s.")
        until(super().is_ready, _PROMOTE_SECONDS, or_else=late)

    def has_received(self) -> bool:
        """Check that it has applied everything that the primary has written by now."""
        with psycopg.connect(self._primary.url, autocommit=True) as primary, self._connect(DATABASE) as standby:
            (written,) = primary.execute("SELECT pg_current_wal_insert_lsn()").fetchone() or (None,)
            found = standby.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written]).fetchone()
            return found == (True,)

    @override
    def _password(self) -> str:
        return self._primary._password()  # noqa: SLF001 - its roles and their passwords are copied with its data


class PostgresPair:
    """A running primary and its standby, with its data in `folder`. Clients reach the one that takes writes at `url`,
    as by a name that is moved from one to the other; the standby streams by `link`.
    """

    def __init__(self, primary: Postgres, folder: Path) -> None:
        self.primary = primary
        self.link, self._front = (Proxy((HOST, primary.port)) for _ in range(2))
        self.link.start()
        self._front.start()
        self.standby = PostgresStandby(folder, primary, port_of_primary=self.link.port)
        self.standby.start()
        self.url = primary.url.replace(f":{primary.port}/", f":{self._front.port}/")

    def confirm_by_standby(self) -> None:
        """Let a commit wait for the standby: then a promotion loses nothing that was confirmed."""
        with psycopg.connect(self.primary.url, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {DATABASE} SET synchronous_commit = on")  # a fast server is told not to
            admin.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            admin.execute("SELECT pg_reload_conf()")

            def is_synchronous() -> bool:
                return admin.execute("SELECT sync_state FROM pg_stat_replication").fetchone() == ("sync",)

            until(is_synchronous, what="the standby confirms commits")

    def promote(self) -> None:
        """Kill the primary, promote the standby, and send clients there."""
        self.primary.kill()
        self.standby.promote()
        self._front.upstream = HOST, self.standby.port
        self._front.cut()

    def close(self) -> None:
        """End the standby and the ways to both."""
        self.standby.wipe()
        self.link.stop()
        self._front.stop()
