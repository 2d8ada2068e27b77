"""The outbox's partitions, made ahead and dropped by retention, over the relay's own connection."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

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

log = structlog.get_logger()

Connection = AsyncConnection[tuple[Any, ...]]


async def make_partitions(connection: Connection) -> None:
    """Make the outbox's partitions of the next months. One that cannot be made now is made another time, and one
    whose rows stand in the default partition already is not needed.
    """
    for statement in partitions.statements(datetime.now(UTC)):
        async with connection.transaction():
            await connection.execute(partitions.LOCK_TIMEOUT)
            with suppress(errors.LockNotAvailable, errors.CheckViolation):
                async with connection.transaction():
                    await connection.execute(statement.encode())


async def drop_partitions(connection: Connection, at: Position, days: int) -> bool:
    """Drop the partitions whose month ended so many days ago and of which all is sent, up to the cursor `at`; whether
    any rows went with them. One that cannot be locked at once is dropped another time.
    """
    names = [name for (name,) in await (await connection.execute(_NAMES)).fetchall()]
    lost = False
    for name in partitions.ended_before(names, datetime.now(UTC), days):
        if await _has_rows_behind(connection, name, at):  # before the lock, which holds up writers
            log.warning("an old partition holds what was not sent yet", partition=name)
            continue
        with suppress(errors.LockNotAvailable, errors.DeadlockDetected):
            lost |= await _drop(connection, name, at)
    return lost


async def _drop(connection: Connection, name: str, at: Position) -> bool:
    # DETACH CONCURRENTLY cannot be had beside a default partition. A drop locks the parent anyway, so that comes first,
    # as with writers; a writer that was there before has ended by then, and its rows are seen.
    async with connection.transaction():
        await connection.execute(partitions.DROP_LOCK_TIMEOUT)
        await connection.execute(_LOCK)
        if await _has_rows_behind(connection, name, at):
            return False
        # From now on no log can be filled from the start. Rows of one month need not be the first ones of all: one that
        # began before midnight may have its id after one that began behind it.
        lost = await _has_rows_behind(connection, name, START)
        if lost:
            marked = await connection.execute(sql.LOSE_FIRST, (at.epoch, str(at.xid), at.id))
            if marked.rowcount != 1:  # another relay is at work by now, and drops it in its turn
                return False
        await connection.execute(SQL(_DROP).format(Identifier(name)))
    log.info("partition dropped", partition=name)
    return lost


async def _has_rows_behind(connection: Connection, name: str, at: Position) -> bool:
    statement = SQL(_ANY_BEHIND).format(Identifier(name))
    found = await connection.execute(statement, (at.epoch, str(at.xid), at.id))
    return await found.fetchone() == (True,)
