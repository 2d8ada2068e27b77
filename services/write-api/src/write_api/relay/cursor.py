"""The relay's side of Postgres: its lock, its cursor, and the rows behind it, over one connection of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from psycopg import AsyncConnection

from cheeper_contracts import topics
from cheeper_contracts.envelope import Envelope
from write_api.db.url import connect_parameters
from write_api.outbox.writer import CHANNEL
from write_api.relay import sql, upkeep
from write_api.relay.numbering import START, Position, Row, Sent

RELAY_LOCK: Final = 0x63686565_72656C79  # "cheerely": of the one active relay

# A batch is always read along the index: the planner, which cannot tell how many rows lie behind the cursor, would now
# and then sort the whole backlog for each. What can only be scanned then seems so costly that PostgreSQL would compile
# it each time, which takes a thousand times longer than running it. As it is always read in the same way it is planned
# once: planning it for each position takes longer than reading a row.
_OPTIONS: Final = "-c enable_sort=off -c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan"
CONNECTION: Final = connect_parameters("write-api-relay", _OPTIONS)


class RelayRefusedError(Exception):
    """The relay must not run, until a person has acted. The text says why and what to do."""


class LockLostError(Exception):
    """The cursor was moved by another relay: this one has lost its lock without noticing."""


class Identity(msgspec.Struct, frozen=True):
    """Which database this is, and which of its histories."""

    system_identifier: int
    timeline_id: int


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far the outbox has been sent. `first` is the first row of all, once one was sent, and START, where no row is,
    once a retention has dropped any.
    """

    position: Position
    first: Position | None
    identity: Identity
    current_epoch: int
    sent: dict[int, Sent]


def refuse_another_history(found: Identity, cursor: Cursor | None) -> None:
    """Raise RelayRefusedError where the cursor is of another database than the one that was found."""
    if cursor is not None and cursor.identity != found:
        raise RelayRefusedError(
            "this database is a restored copy of the one that was relayed from (its system identifier or "
            "timeline has changed): run `write-api raise-epoch`, then rebuild the views: "
            "`projector rebuild --store all --switch --restored`"
        )


class CursorStore:
    """Reads the outbox and moves the cursor. Built by `connect`; psycopg's errors go through."""

    def __init__(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        self._connection = connection

    async def lock(self) -> bool:
        """Take the lock of the one active relay, if it is free. It lasts as long as the connection."""
        found = await self._connection.execute(sql.LOCK, (RELAY_LOCK,))
        return await found.fetchone() == (True,)

    async def identity(self) -> Identity:
        """Which database this is now."""
        found = await self._connection.execute(sql.IDENTITY)
        return Identity(*[value for row in await found.fetchall() for value in row])

    async def load(self) -> Cursor | None:
        """The cursor; none where nothing was ever sent from this database."""
        found = await self._connection.execute(sql.LOAD_CURSOR)
        row = await found.fetchone()
        if row is None:
            return None
        epoch, xid, id_, first_epoch, first_xid, first_id, system, timeline, current_epoch = row
        rows = await self._connection.execute(sql.LOAD_PARTITIONS)
        return Cursor(
            position=Position(epoch, int(xid), id_),
            first=None if first_id is None else Position(first_epoch, int(first_xid), first_id),
            identity=Identity(system, timeline),
            current_epoch=current_epoch,
            sent={
                partition: Sent(topic_id=topic_id, last_offset=offset, last_sequence=sequence)
                async for partition, topic_id, offset, sequence in rows
            },
        )

    async def begin(self, identity: Identity, topic_id: str) -> None:
        """Make the cursor of a database that has sent nothing yet, for an empty topic."""
        nothing = _nothing_sent(topic_id, dict.fromkeys(range(topics.EVENTS.partitions), 0))
        await self._note(sql.BEGIN, msgspec.structs.asdict(identity), nothing)

    async def read(self, cursor: Cursor, limit: int) -> list[Row]:
        """The next rows that no transaction in flight can still come before."""
        at = cursor.position
        rows = await self._connection.execute(
            sql.READ, (at.epoch, str(at.xid), at.id, cursor.current_epoch, limit), binary=True
        )
        return [_row(values) for values in await rows.fetchall()]

    async def move(self, cursor: Cursor, last: Row, first: Row, sent: Mapping[int, Sent]) -> Cursor:
        """Move the cursor to `last` in one transaction, and give what it is then. Raises LockLostError.

        It does not wait for the disk.
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
        """Raises RelayRefusedError where retention has dropped the first row: nothing can be sent from the start."""
        if cursor.first is not None and await self._first() != cursor.first:
            raise RelayRefusedError(
                f"the topic {topics.EVENTS.name} would have to be filled again, and the outbox no longer has its first "
                "rows: restore the topic from a copy"
            )

    async def rewind(self, cursor: Cursor, topic_id: str, ends: Mapping[int, int]) -> None:
        """Begin again before the first row, in a topic whose partitions end at `ends`. Raises LockLostError."""
        sent = _nothing_sent(topic_id, ends)
        await self._swap(sql.REWIND, cursor, msgspec.structs.replace(cursor, position=START, sent=sent), sent)

    async def raise_epoch(self, cursor: Cursor, identity: Identity) -> int:
        """Let new rows come after all that are there, whatever their xids, and give the new epoch.

        The change waits for all writers in flight, so that no row of an older epoch can appear after it.
        """
        epoch = cursor.current_epoch + 1
        async with self._connection.transaction():
            await self._connection.execute(f"ALTER TABLE outbox ALTER COLUMN epoch SET DEFAULT {epoch:d}".encode())
            await self._connection.execute(sql.ACCEPT, (identity.system_identifier, identity.timeline_id, epoch))
        return epoch

    async def make_partitions(self) -> None:
        """Make the outbox's partitions of the next months, as far as they can be made now."""
        await upkeep.make_partitions(self._connection)

    async def drop_partitions(self, cursor: Cursor, days: int) -> Cursor:
        """Drop the partitions that ended so many days ago and are sent whole, and give what the cursor is then."""
        lost = await upkeep.drop_partitions(self._connection, cursor.position, days)
        return msgspec.structs.replace(cursor, first=START) if lost else cursor

    async def wait(self, seconds: float) -> None:
        """Wait for a writer's hint, at most that long; one that came since the last wait ends it at once."""
        async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass  # to its end: so it takes all that came, and gives the connection back at once

    async def _swap(self, statement: str, before: Cursor, after: Cursor, sent: Mapping[int, Sent]) -> None:
        cursor = {
            **_parameters("new", after.position),
            **_parameters("first", after.first),
            **_parameters("old", before.position),
        }
        if not await self._note(statement, cursor, sent):
            raise LockLostError("another relay has moved the cursor")

    async def _note(self, statement: str, cursor: Mapping[str, object], sent: Mapping[int, Sent]) -> bool:
        states = sent.values()
        noted = await self._connection.execute(
            statement.encode(),
            {
                **cursor,
                "partitions": list(sent),
                "topic_ids": [state.topic_id for state in states],
                "offsets": [state.last_offset for state in states],
                "sequences": [state.last_sequence for state in states],
            },
        )
        return noted.rowcount == 1

    async def _first(self) -> Position | None:
        found = await self._connection.execute(sql.FIRST)
        row = await found.fetchone()
        return None if row is None else Position(row[0], int(row[1]), row[2])


@asynccontextmanager
async def connect(database_url: str) -> AsyncIterator[CursorStore]:
    """The store over a connection of its own, which listens for writers' hints."""
    async with await AsyncConnection.connect(database_url, autocommit=True, **CONNECTION) as connection:
        await connection.execute(f"LISTEN {CHANNEL}".encode())
        yield CursorStore(connection)


def _nothing_sent(topic_id: str, ends: Mapping[int, int]) -> dict[int, Sent]:
    return {partition: Sent(topic_id=topic_id, last_offset=end - 1, last_sequence=0) for partition, end in ends.items()}


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
