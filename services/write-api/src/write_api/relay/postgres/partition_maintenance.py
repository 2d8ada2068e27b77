"""The outbox's partitions are created ahead, and dropped by retention, over the relay's own connection."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import structlog
from psycopg import AsyncConnection, errors

from write_api.outbox import partitions
from write_api.relay.numbering import Position

_NAMES: Final = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox'::regclass"
_DROP: Final = "SELECT drop_outbox_partition(%s, %s, %s::xid8, %s)"
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
        with suppress(errors.LockNotAvailable, errors.DeadlockDetected):
            lost |= await _drop(connection, name, cursor)
    return Dropped(lost, len(by_the_clock))


async def _drop(connection: Connection, name: str, cursor: Position) -> bool:
    """Drop the partition, or log why it stays. Return True if rows were dropped."""
    async with connection.transaction():
        await connection.execute(partitions.DROP_LOCK_TIMEOUT)
        result = await connection.execute(_DROP, (name, cursor.epoch, str(cursor.xid), cursor.id))
        ((outcome,),) = await result.fetchall()
    match outcome:
        case "unsent":
            log.warning("old partition not dropped: it has unsent rows", partition=name)
        case "dropped" | "empty":
            log.info("partition dropped", partition=name)
    return bool(outcome == "dropped")


async def _now(connection: Connection) -> datetime:
    rows: list[tuple[datetime]] = await (await connection.execute(partitions.NOW)).fetchall()
    return rows[0][0].astimezone(UTC)
