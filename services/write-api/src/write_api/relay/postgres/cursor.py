"""The relay's connection to Postgres: its lock, its cursor, and the rows of the outbox behind the cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import msgspec
from psycopg import AsyncConnection

from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import Envelope
from write_api.db.url import connect_parameters
from write_api.outbox.writer import CHANNEL
from write_api.relay.numbering import START, LastSent, Position, Row
from write_api.relay.postgres import partition_maintenance, sql

RELAY_LOCK: Final = 0x63686565_72656C79  # "cheerely"; the active relay holds it

# A batch is always read along the index: the planner cannot estimate the number of rows behind the cursor, and would
# sometimes sort the whole backlog for each batch. Without sort and scan, the plans of other statements seem so costly
# that PostgreSQL would compile them each time, which takes a thousand times longer than running them. One generic plan
# is enough, and planning for each position takes longer than reading a row.
_OPTIONS: Final = "-c enable_sort=off -c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan"
CONNECTION: Final = connect_parameters("write-api-relay", _OPTIONS)


class RelayRefusedError(Exception):
    """The relay must not run until an operator has acted. The text states the reason and what to do."""


class LockLostError(Exception):
    """Another relay has moved the cursor: this one has lost its lock without noticing."""


class DatabaseIdentity(msgspec.Struct, frozen=True):
    """The identity of a database and of one of its histories, as PostgreSQL numbers them."""

    system_identifier: int
    timeline_id: int


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """The position up to which the outbox has been sent.

    `first` is the first row of all, None before a row was sent, and START after retention has dropped rows.
    """

    position: Position
    first: Position | None
    identity: DatabaseIdentity
    current_epoch: int
    sent: dict[int, LastSent]


class CursorStore:
    """Reads the outbox and moves the cursor. `connect` builds it. Every method raises psycopg's errors."""

    def __init__(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        self._connection = connection

    async def lock(self) -> bool:
        """Take the lock of the active relay for the lifetime of the connection. Return False if it is not free."""
        result = await self._connection.execute(sql.LOCK, (RELAY_LOCK,))
        return await result.fetchone() == (True,)

    async def identity(self) -> DatabaseIdentity:
        """Return the identity of the database."""
        result = await self._connection.execute(sql.IDENTITY)
        return DatabaseIdentity(*[value for row in await result.fetchall() for value in row])

    async def load(self) -> Cursor | None:
        """Return the cursor, or None if nothing was ever sent from this database."""
        result = await self._connection.execute(sql.LOAD_CURSOR)
        row = await result.fetchone()
        if row is None:
            return None
        epoch, xid, id_, first_epoch, first_xid, first_id, system, timeline, current_epoch = row
        rows = await self._connection.execute(sql.LOAD_PARTITIONS)
        return Cursor(
            position=Position(epoch, int(xid), id_),
            first=None if first_id is None else Position(first_epoch, int(first_xid), first_id),
            identity=DatabaseIdentity(system, timeline),
            current_epoch=current_epoch,
            sent={
                partition: LastSent(topic_id=topic_id, last_offset=offset, last_sequence=sequence)
                async for partition, topic_id, offset, sequence in rows
            },
        )

    async def begin(self, identity: DatabaseIdentity, topic_id: str) -> None:
        """Create the cursor of a database that has sent nothing yet, for an empty topic."""
        nothing = _nothing_sent(topic_id, dict.fromkeys(range(topics.EVENTS.partitions), 0))
        await self._write(sql.BEGIN, msgspec.structs.asdict(identity), nothing)

    async def read(self, cursor: Cursor, limit: int) -> list[Row]:
        """Return the next rows, up to the first one that a transaction in flight may still commit a row before."""
        at = cursor.position
        rows = await self._connection.execute(
            sql.READ, (at.epoch, str(at.xid), at.id, cursor.current_epoch, limit), binary=True
        )
        return [_row(values) for values in await rows.fetchall()]

    async def move(self, cursor: Cursor, last: Row, first: Row, sent: Mapping[int, LastSent]) -> Cursor:
        """Move the cursor to `last` in one transaction and return it. Raise LockLostError.

        The commit does not wait for the disk.
        """
        after = msgspec.structs.replace(
            cursor,
            position=last.position,
            first=cursor.first or first.position,
            sent={**cursor.sent, **sent},
        )
        await self._swap(sql.MOVE, cursor, after, sent)
        return after

    async def check_beginning(self, cursor: Cursor) -> None:
        """Raise RelayRefusedError if retention has dropped the first row, so that the log cannot be filled again."""
        if not await self.has_beginning(cursor):
            raise RelayRefusedError(
                f"the topic {topics.EVENTS.name} would have to be filled again, and the outbox no longer has its first "
                "rows: restore the topic from a copy"
            )

    async def rewind(self, cursor: Cursor, topic_id: str, high_water_marks: Mapping[int, int]) -> None:
        """Move the cursor before the first row, for a topic with these high-water marks. Raise LockLostError."""
        sent = _nothing_sent(topic_id, high_water_marks)
        await self._swap(sql.REWIND, cursor, msgspec.structs.replace(cursor, position=START, sent=sent), sent)

    async def has_beginning(self, cursor: Cursor) -> bool:
        """Return True if the outbox still has its first row, so that a log can be filled from it."""
        return cursor.first is None or await self._first() == cursor.first

    async def accept(self, cursor: Cursor, identity: DatabaseIdentity) -> None:
        """Accept the database as the one that the cursor belongs to, as on a new timeline, in the same epoch."""
        await self._connection.execute(
            sql.ACCEPT_DATABASE, (identity.system_identifier, identity.timeline_id, cursor.current_epoch)
        )

    async def adopt(self, cursor: Cursor, last: Position, sent: Mapping[int, LastSent]) -> Cursor:
        """Move the cursor to `last` and to a log with these last messages, and return it. Raise LockLostError."""
        after = msgspec.structs.replace(cursor, position=last, sent={**cursor.sent, **sent})
        await self._swap(sql.REWIND, cursor, after, sent)
        return after

    async def raise_epoch(self, identity: DatabaseIdentity) -> int:
        """Order new rows after all existing ones, whatever their xids, and return the new epoch.

        The change waits for all writers in flight, so that no row of an older epoch can appear after it.
        """
        async with self._connection.transaction():
            ((epoch,),) = await (await self._connection.execute(sql.RAISE_EPOCH)).fetchall()
            await self._connection.execute(
                sql.ACCEPT_DATABASE, (identity.system_identifier, identity.timeline_id, epoch)
            )
        return int(epoch)

    async def create_partitions(self) -> None:
        """Create the outbox's partitions of the next months, as far as they can be created now, and record the day."""
        await partition_maintenance.create_partitions(self._connection)
        await partition_maintenance.see_day(self._connection)

    async def drop_partitions(self, cursor: Cursor, days: int) -> tuple[Cursor, int]:
        """Drop the partitions that ended that many days ago and were sent. Return the resulting cursor, and the number
        of those that are kept because the days since have not been seen.
        """
        lost, retained = await partition_maintenance.drop_partitions(self._connection, cursor.position, days)
        return (msgspec.structs.replace(cursor, first=START) if lost else cursor), retained

    async def wait(self, seconds: float) -> None:
        """Wait for a writer's hint for that long at most. A hint since the last wait ends it at once."""
        async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass  # exhausting the generator takes all waiting hints and releases the connection

    async def _swap(self, statement: str, before: Cursor, after: Cursor, sent: Mapping[int, LastSent]) -> None:
        cursor = {
            **_parameters("new", after.position),
            **_parameters("first", after.first),
            **_parameters("old", before.position),
        }
        if not await self._write(statement, cursor, sent):
            raise LockLostError("another relay has moved the cursor")

    async def _write(self, statement: str, cursor: Mapping[str, object], sent: Mapping[int, LastSent]) -> bool:
        states = sent.values()
        result = await self._connection.execute(
            statement.encode(),
            {
                **cursor,
                "partitions": list(sent),
                "topic_ids": [state.topic_id for state in states],
                "offsets": [state.last_offset for state in states],
                "sequences": [state.last_sequence for state in states],
            },
        )
        return result.rowcount == 1

    async def _first(self) -> Position | None:
        result = await self._connection.execute(sql.FIRST)
        row = await result.fetchone()
        return None if row is None else Position(row[0], int(row[1]), row[2])


Connect = Callable[[], AbstractAsyncContextManager[CursorStore]]
"""Opens a connection of its own."""


@asynccontextmanager
async def connect(database_url: str) -> AsyncIterator[CursorStore]:
    """Open a connection of its own, which listens for writers' hints, and yield the store over it."""
    async with await AsyncConnection.connect(database_url, autocommit=True, **CONNECTION) as connection:
        await connection.execute(f"LISTEN {CHANNEL}".encode())
        yield CursorStore(connection)


def _nothing_sent(topic_id: str, high_water_marks: Mapping[int, int]) -> dict[int, LastSent]:
    return {
        partition: LastSent(topic_id=topic_id, last_offset=mark - 1, last_sequence=0)
        for partition, mark in high_water_marks.items()
    }


def _parameters(name: str, position: Position | None) -> dict[str, int | str | None]:
    if position is None:
        return {f"{name}_epoch": None, f"{name}_xid": None, f"{name}_id": None}
    return {f"{name}_epoch": position.epoch, f"{name}_xid": str(position.xid), f"{name}_id": position.id}


def _row(values: tuple[Any, ...]) -> Row:
    epoch, xid, id_, message_id, type_, source, time, key, correlation_id, reply_to, traceparent, payload = values
    return Row(
        Position(epoch, int(xid), id_),
        Envelope(
            message_id=message_id,
            type=type_,
            source=source,
            time=time,
            key=key,
            correlation_id=correlation_id,
            reply_to=reply_to,
            traceparent=traceparent,
        ),
        payload.encode(),
    )
