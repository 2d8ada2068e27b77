"""The outbox's partitions are created ahead, and dropped by retention, over the relay's own connection."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import structlog
from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Identifier

from write_api.outbox import partitions
from write_api.relay import sql
from write_api.relay.numbering import START, Position

_NAMES: Final = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox'::regclass"
_LOCK: Final = "LOCK TABLE ONLY outbox IN ACCESS EXCLUSIVE MODE"
_ANY_BEHIND: Final = "SELECT EXISTS (SELECT FROM {} AS o WHERE (o.epoch, o.xid, o.id) > (%s, %s::xid8, %s))"
_DROP: Final = "DROP TABLE {}"
_SEE_DAY: Final = "INSERT INTO seen_days (day) VALUES (%s) ON CONFLICT DO NOTHING"
_SEEN_DAYS: Final = "SELECT day FROM seen_days"

log = structlog.get_logger()

Connection = AsyncConnection[tuple[Any, ...]]


async def create_partitions(connection: Connection) -> None:
    """Create the partitions of the next months. One that is locked is left for the next call, and one whose rows are in
    the default partition already is not needed.
    """
    for statement in partitions.statements(await _now(connection)):
        async with connection.transaction():
            await connection.execute(partitions.LOCK_TIMEOUT)
            with suppress(errors.LockNotAvailable, errors.CheckViolation):
                async with connection.transaction():
                    await connection.execute(statement.encode())


async def see_day(connection: Connection) -> None:
    """Record the day that the database's clock shows, in UTC, by which `drop_partitions` counts."""
    await connection.execute(_SEE_DAY, ((await _now(connection)).date(),))


class Dropped(NamedTuple):
    """The result of a clean-up: True if rows were dropped, and the number of months that are old by the clock alone."""

    lost: bool
    retained: int


async def drop_partitions(connection: Connection, cursor: Position, days: int) -> Dropped:
    """Drop the partitions whose month ended that many days ago and whose rows are all before the cursor.

    A partition that cannot be locked at once is left for the next call.
    """
    names = [name for (name,) in await (await connection.execute(_NAMES)).fetchall()]
    seen = [day for (day,) in await (await connection.execute(_SEEN_DAYS)).fetchall()]
    ended, by_the_clock = partitions.retention(names, await _now(connection), days, seen)
    if by_the_clock:
        log.warning("old partitions not dropped: too few days were seen since they ended", partitions=by_the_clock)
    lost = False
    for name in ended:
        if await _has_rows_behind(connection, name, cursor):  # before the lock, which blocks writers
            log.warning("old partition not dropped: it has unsent rows", partition=name)
            continue
        with suppress(errors.LockNotAvailable, errors.DeadlockDetected):
            lost |= await _drop(connection, name, cursor)
    return Dropped(lost, len(by_the_clock))


async def _drop(connection: Connection, name: str, cursor: Position) -> bool:
    # DETACH CONCURRENTLY does not work beside a default partition. A drop locks the parent anyway, so that lock comes
    # first, as with writers; a writer that was there before has ended by then, and its rows are visible.
    async with connection.transaction():
        await connection.execute(partitions.DROP_LOCK_TIMEOUT)
        await connection.execute(_LOCK)
        if await _has_rows_behind(connection, name, cursor):
            return False
        # From now on no log can be filled from the start. The rows of one month need not be the first ones: one that
        # began before midnight may have its id after one that began later.
        lost = await _has_rows_behind(connection, name, START)
        if lost:
            marked = await connection.execute(sql.FORGET_FIRST, (cursor.epoch, str(cursor.xid), cursor.id))
            if marked.rowcount != 1:  # another relay is active by now, and will drop it
                return False
        await connection.execute(SQL(_DROP).format(Identifier(name)))
    log.info("partition dropped", partition=name)
    return lost


async def _now(connection: Connection) -> datetime:
    rows: list[tuple[datetime]] = await (await connection.execute(partitions.NOW)).fetchall()
    return rows[0][0].astimezone(UTC)


async def _has_rows_behind(connection: Connection, name: str, position: Position) -> bool:
    statement = SQL(_ANY_BEHIND).format(Identifier(name))
    result = await connection.execute(statement, (position.epoch, str(position.xid), position.id))
    return await result.fetchone() == (True,)
