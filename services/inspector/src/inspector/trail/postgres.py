"""The trail in PostgreSQL. Operators act rarely, so each call has a connection of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

from psycopg import AsyncConnection, Error
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cheeper_audit.stores import StoreUnavailableError
from inspector.operations.entries import BusyError, Entry, KeyTakenError, NewEntry, Turn
from inspector.operations.requests import UNKNOWN

_CONNECT_SECONDS: Final = 5
_STATEMENT_MILLISECONDS: Final = 10_000
_TURN: Final = 0x6163740000000000  # "act": the lock of who acts
_COLUMNS: Final[LiteralString] = """
    SELECT a.number, a.action_id::text AS action_id, a.caller, a.action, a.parameters, a.reason, o.outcome,
           coalesce(o.lines, '{}') AS lines, (extract(epoch FROM a.began_at) * 1000000)::bigint AS began_at,
           (extract(epoch FROM o.ended_at) * 1000000)::bigint AS ended_at
      FROM operations.actions AS a LEFT JOIN operations.outcomes AS o USING (action_id)
"""
_ONE: Final[LiteralString] = f"{_COLUMNS} WHERE a.action_id = %s::uuid"
_BEFORE: Final[LiteralString] = (
    f"{_COLUMNS} WHERE %s::bigint IS NULL OR a.number < %s::bigint ORDER BY a.number DESC LIMIT %s"
)
_BEGIN: Final = """
    INSERT INTO operations.actions (action_id, caller, action, parameters, reason) VALUES (%s, %s, %s, %s, %s)
"""
_END: Final = """
    INSERT INTO operations.outcomes (action_id, outcome, lines) VALUES (%s, %s, %s) ON CONFLICT (action_id) DO NOTHING
"""
_END_ORPHANS: Final = """
    INSERT INTO operations.outcomes (action_id, outcome, lines)
    SELECT action_id, %s, '{}' FROM operations.actions AS a
     WHERE NOT EXISTS (SELECT 1 FROM operations.outcomes AS o WHERE o.action_id = a.action_id)
    ON CONFLICT (action_id) DO NOTHING
"""


class PostgresTurn:
    """The right to act: a lock that ends with its connection, so that a killed process does not keep it."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def release(self) -> None:
        """Give it up."""
        await self._connection.close()


class PostgresTrail:
    """The trail. `url` is that of the role that may add and read, and nothing else."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def turn(self) -> Turn:
        """Take the right to act, and end the entries whose process has ended. Raise BusyError."""
        with_lock = await self._connect()
        try:
            await _take(with_lock)
        except BaseException:
            await with_lock.close()
            raise
        return PostgresTurn(with_lock)

    async def begin(self, entry: NewEntry) -> Entry:
        """Add an entry, durably. Raise KeyTakenError if its id exists."""
        values = (entry.action_id, entry.caller, entry.action, Jsonb(entry.parameters), entry.reason)
        try:
            await self._execute(_BEGIN, *values)
        except UniqueViolation:
            raise KeyTakenError from None
        begun = await self.one(entry.action_id)
        if begun is None:
            raise StoreUnavailableError("The trail does not have what was added to it.")
        return begun

    async def end(self, action_id: str, outcome: str, lines: tuple[str, ...]) -> None:
        """Add the outcome of an entry, unless it has one. PostgreSQL's text holds every character except NUL."""
        await self._execute(_END, action_id, outcome, [line.replace("\0", "\ufffd") for line in lines])

    async def one(self, action_id: str) -> Entry | None:
        """Return the entry with that id."""
        found = await self._execute(_ONE, action_id)
        return _entry(found[0]) if found else None

    async def before(self, number: int | None, most: int) -> tuple[Entry, ...]:
        """Return so many entries at most, the newest first, of those before that number if there is one."""
        return tuple(_entry(row) for row in await self._execute(_BEFORE, number, number, most))

    async def _connect(self) -> AsyncConnection[dict[str, Any]]:
        async with _reached():
            return await AsyncConnection.connect(
                self._url,
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=_CONNECT_SECONDS,
                application_name="cheeper-operations",
                options=f"-c statement_timeout={_STATEMENT_MILLISECONDS}",
            )

    async def _execute(self, statement: LiteralString, *values: object) -> list[dict[str, Any]]:
        async with await self._connect() as connection, _reached():
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []


async def _take(connection: AsyncConnection[dict[str, Any]]) -> None:
    async with _reached():
        found = await connection.execute("SELECT pg_try_advisory_lock(%s) AS taken", (_TURN,))
        row = await found.fetchone()
        if row is None or not row["taken"]:
            raise BusyError
        await connection.execute(_END_ORPHANS, (UNKNOWN,))


@asynccontextmanager
async def _reached() -> AsyncIterator[None]:
    """Raise StoreUnavailableError for every error but that of a key that exists."""
    try:
        yield
    except UniqueViolation:
        raise
    except Error as error:
        raise StoreUnavailableError("The trail in PostgreSQL cannot be reached.") from error


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(**{**row, "lines": tuple(row["lines"])})
