"""Raising the epoch, after which a database that has lost what was sent is relayed from again.

If the outbox still begins at the beginning, the log is filled anew from it. Otherwise the log is the only copy of the
rows that retention has dropped: it is kept, with the lost messages in it, and new ones follow behind them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from write_api.relay.history import ROWS, at, check_history, tail_of
from write_api.relay.kafka.event_log import EventLog
from write_api.relay.kafka.publisher import DeliveryError, Publisher
from write_api.relay.numbering import LastSent, NumberedMessage, Position, advance, number, sequences
from write_api.relay.postgres.cursor import Connect, Cursor, CursorStore, DatabaseIdentity, RelayRefusedError

_LOCK_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.1

NewPublisher = Callable[[], Publisher]

log = structlog.get_logger()


async def raise_epoch(connect: Connect, event_log: EventLog, new_publisher: NewPublisher) -> None:
    """Accept the database as the one to relay from, and make the log fit it.

    The old log holds events that this database does not have, under the sequences of events to come. It is deleted
    first, or kept if the outbox cannot fill another one. If the call fails halfway, call it again. Raise
    RelayRefusedError, DeliveryError, KafkaException or psycopg's errors.
    """
    async with connect() as store:
        if not await _lock(store):
            raise RelayRefusedError(
                "a relay is active on this database: either it needs no new epoch, or stop the relay first"
            )
        cursor, identity = await store.load(), await store.identity()
        if cursor is None or await _is_one_history(store, event_log, cursor, identity):
            log.info("epoch unchanged: the relay continues with this database by itself")
            return
        if await store.has_beginning(cursor):
            await asyncio.to_thread(event_log.recreate)
            epoch = await store.raise_epoch(identity)
            log.warning(
                "epoch raised: the relay fills the topic again. The views hold the sequences of another history: "
                "run `projector rebuild --store all --switch --restored`",
                epoch=epoch,
                topic=event_log.name,
            )
        else:
            lost = await _keep_log(store, event_log, cursor, identity, new_publisher)
            log.warning(
                "log kept: it is the only copy of the months that retention has dropped, and the relay continues "
                "behind the lost messages. The views hold their effects: run `cheeper-audit --repair`, then and "
                "before each later switch to a rebuilt generation",
                lost=lost,
                topic=event_log.name,
            )


async def _lock(store: CursorStore) -> bool:
    """Take the lock, which a refusing relay holds for a moment every few seconds. Return False if it is not free."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while not await store.lock():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def _is_one_history(store: CursorStore, event_log: EventLog, cursor: Cursor, identity: DatabaseIdentity) -> bool:
    topic_id = await asyncio.to_thread(event_log.topic_id)
    try:
        await check_history(store, event_log, cursor, identity, topic_id or "")
    except RelayRefusedError:
        return False
    return True


async def _keep_log(
    store: CursorStore, event_log: EventLog, cursor: Cursor, identity: DatabaseIdentity, new_publisher: NewPublisher
) -> int:
    """Move the cursor to the end of the log, and return the number of messages there that the database has lost.

    The rows up to the last one that was sent are compared with the log one by one: a row may be missing there although
    later ones of other partitions are not. Such rows follow the lost messages. Raise RelayRefusedError.
    """
    loss = await asyncio.to_thread(event_log.loss, await asyncio.to_thread(event_log.topic_id), cursor.sent)
    if loss is not None or cursor.identity.system_identifier != identity.system_identifier:
        reason = loss or "this is another database, whose transaction ids do not follow those of the outbox"
        raise RelayRefusedError(
            f"the outbox no longer has its first rows, and the log cannot be continued ({reason}): restore the topic "
            f"{event_log.name}, or the database itself, from a copy"
        )
    logged, sent = await _read_tail(event_log, cursor)
    last, known = await _last_sent(store, cursor, logged)
    publisher, behind = new_publisher(), cursor
    try:
        while behind.position < last:
            rows = [row for row in await store.read(behind, ROWS) if row.position <= last]
            missing = [row for row in rows if row.envelope.message_id not in logged]
            sent |= advance(sent, await _send(publisher, number(missing, sequences(sent))))
            behind = at(behind, rows[-1].position)
    finally:
        await publisher.close()
    # Only now: until the cursor moves, another call finds the lost messages again, and what this one has sent.
    await store.accept(await store.adopt(cursor, last, sent), identity)
    return len(logged) - known


async def _read_tail(event_log: EventLog, cursor: Cursor) -> tuple[set[str], dict[int, LastSent]]:
    """Return the ids of the messages behind the cursor, and the last message of each partition."""
    logged: set[str] = set()
    sent = dict(cursor.sent)
    async with tail_of(event_log, cursor, thorough=True) as tail:
        while messages := await tail.read():
            for message in messages:
                before = sent[message.partition]
                if message.sequence > cursor.sent[message.partition].last_sequence:  # otherwise it is a repeat
                    logged.add(message.message_id)
                sent[message.partition] = LastSent(
                    topic_id=before.topic_id,
                    last_offset=message.offset,
                    last_sequence=max(before.last_sequence, message.sequence),
                )
    return logged, sent


async def _last_sent(store: CursorStore, cursor: Cursor, logged: set[str]) -> tuple[Position, int]:
    """Return the position of the last row that the log holds, and the number of such rows behind the cursor."""
    last, known, behind = cursor.position, 0, cursor
    while rows := await store.read(behind, ROWS):
        found = [row.position for row in rows if row.envelope.message_id in logged]
        last, known = (found[-1] if found else last), known + len(found)
        behind = at(behind, rows[-1].position)
    return last, known


async def _send(publisher: Publisher, messages: list[NumberedMessage]) -> dict[int, list[int]]:
    never = asyncio.Event()
    delivery = await publisher.send(messages, never, _ignore)
    offsets = None if delivery is None else await publisher.acknowledged(delivery, never, _ignore)
    if offsets is None:
        raise DeliveryError("the messages were not acknowledged")
    return offsets


def _ignore() -> None:
    """Do nothing about a slow broker: the operator waits."""
