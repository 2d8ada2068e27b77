"""The check that the database and the log belong to one history: each message of the log is a row of the outbox.

A database that was promoted or restored may lack its newest rows, and its cursor is then as old as they are: both come
from the same WAL. A position that the database keeps can therefore never show what the database has lost. The log can:
it is kept elsewhere, and what was sent and lost is in its tail, the messages behind the cursor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

from write_api.relay.kafka.event_log import EventLog
from write_api.relay.kafka.log_tail import LoggedMessage
from write_api.relay.numbering import Position, number, sequences
from write_api.relay.postgres.cursor import Cursor, CursorStore, DatabaseIdentity, RelayRefusedError

ROWS: Final = 2000
"""The number of rows that are read together."""


class Tail(Protocol):
    """The messages of the log behind the cursor."""

    async def read(self) -> list[LoggedMessage]:
        """Return the next messages, in order within a partition, or an empty list at the end of the log."""


def check_identity(identity: DatabaseIdentity, cursor: Cursor | None) -> None:
    """Raise RelayRefusedError if the cursor belongs to another database, or to a newer timeline of this one."""
    if cursor is None or cursor.identity == identity or is_newer_timeline(identity, cursor):
        return
    raise RelayRefusedError(
        "this database is not the one that was relayed from (its system identifier has changed): run `write-api "
        "raise-epoch`, and then what that reports"
    )


def is_newer_timeline(identity: DatabaseIdentity, cursor: Cursor) -> bool:
    """Return True if the same database has begun another timeline, as after a promotion or a recovery."""
    known = cursor.identity
    return identity.system_identifier == known.system_identifier and identity.timeline_id > known.timeline_id


async def check_history(
    store: CursorStore, event_log: EventLog, cursor: Cursor, identity: DatabaseIdentity, topic_id: str
) -> str | None:
    """Return how the log differs from the one that the cursor knows, or None if it does not: Kafka was wiped then.

    Raise RelayRefusedError if the log holds messages that the database lacks, or if that cannot be known because a new
    timeline and another log began together. Raise KafkaException or TimeoutError if the broker is unavailable.
    """
    check_identity(identity, cursor)
    loss = await asyncio.to_thread(event_log.loss, topic_id, cursor.sent)
    if loss is not None and cursor.identity != identity:
        raise RelayRefusedError(
            f"this database began another timeline, and Kafka was wiped ({loss}): what the database has lost cannot be "
            "known. Run `write-api raise-epoch`, and then what that reports"
        )
    if loss is not None:
        return loss
    async with tail_of(event_log, cursor, thorough=cursor.identity != identity) as tail:
        lacking = await first_lacking(store, cursor, tail)
    if lacking is not None:
        raise RelayRefusedError(
            f"the topic {event_log.name} holds messages that this database has lost (the first one that was found: "
            f"partition {lacking.partition}, sequence {lacking.sequence}, {lacking.message_id}): it was restored, or "
            "promoted without its latest commits. Run `write-api raise-epoch`, and then what that reports"
        )
    return None


@asynccontextmanager
async def tail_of(event_log: EventLog, cursor: Cursor, *, thorough: bool) -> AsyncIterator[Tail]:
    """Yield the log's tail. `thorough` also waits for messages beyond the high-water marks, which some brokers have."""
    reader = await asyncio.to_thread(event_log.tail, cursor.sent, thorough=thorough)
    try:
        yield _InThread(reader.read)
    finally:
        await asyncio.to_thread(reader.close)


async def first_lacking(store: CursorStore, cursor: Cursor, tail: Tail) -> LoggedMessage | None:
    """Return the first message of the tail that is no row behind the cursor, or None if all are.

    A message up to the cursor's sequences is a repeat of one that the database has. Rows are read only as far as the
    tail reaches, however many wait behind it.
    """
    behind, numbered = cursor, sequences(cursor.sent)
    expected: dict[tuple[int, int], str] = {}
    while messages := await tail.read():
        for message in messages:
            if message.sequence <= cursor.sent[message.partition].last_sequence:
                continue
            while message.sequence > numbered[message.partition]:
                rows = await store.read(behind, ROWS)
                if not rows:
                    return message
                for row in number(rows, numbered):
                    numbered[row.partition] = row.envelope.sequence or 0
                    expected[row.partition, numbered[row.partition]] = row.envelope.message_id
                behind = at(behind, rows[-1].position)
            if expected[message.partition, message.sequence] != message.message_id:
                return message
    return None


def at(cursor: Cursor, position: Position) -> Cursor:
    """Return the cursor as if it were at that position, to read from there."""
    return Cursor(
        position=position,
        first=cursor.first,
        identity=cursor.identity,
        current_epoch=cursor.current_epoch,
        sent=cursor.sent,
    )


class _InThread:
    """A tail that is read in a thread, since that blocks."""

    def __init__(self, read: Callable[[], list[LoggedMessage]]) -> None:
        self._read = read

    async def read(self) -> list[LoggedMessage]:
        """Return the next messages."""
        return await asyncio.to_thread(self._read)
