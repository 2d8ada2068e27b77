"""A standby of a PostgreSQL: it streams what the primary writes, until it is promoted."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from typing_extensions import override

from cheeper_local.errors import LocalError
from cheeper_local.servers.postgres import DATABASE, ROLE, Postgres
from cheeper_local.system.ports import HOST
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
