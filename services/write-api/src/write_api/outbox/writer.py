"""Writing to the outbox: append messages within a transaction, and wake the relay after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Event

CHANNEL: Final = "cheeper_outbox"

COLUMNS: Final = {
    "message_id": "uuid",
    "type": "text",
    "source": "text",
    "time": "bigint",
    "key": "text",
    "correlation_id": "uuid",
    "reply_to": "uuid",
    "traceparent": "text",
    "payload": "json",
}
"""The columns that a writer sets, with their types."""

# One statement inserts any number of rows in the order of the arrays. It is text, other than those of `db.arrays`: its
# order matters, and the payload is the very text that Kafka will carry. Column defaults set epoch, xid, id, created_at.
_INSERT = text(
    f"INSERT INTO outbox ({', '.join(COLUMNS)}) SELECT {', '.join(COLUMNS)}"  # noqa: S608 - our own constants
    f" FROM unnest({', '.join(f'CAST(:{name} AS {kind}[])' for name, kind in COLUMNS.items())})"
    f" WITH ORDINALITY AS message ({', '.join(COLUMNS)}, place) ORDER BY place"
)
_NOTIFY = text(f"NOTIFY {CHANNEL}")


async def append_all(connection: AsyncConnection, messages: Sequence[tuple[Envelope, Event]]) -> None:
    """Append messages within the caller's transaction. They are published in this order if and only if it commits.

    The transaction must hold the advisory locks of the events' keys since before its first write: only that makes the
    order of the outbox the commit order of a key. The relay sets the `sequence` of the envelopes, which must be None.
    """
    if messages:
        rows = [_row(envelope, event) for envelope, event in messages]
        await connection.execute(_INSERT, {name: [row[name] for row in rows] for name in COLUMNS})


async def hint(connection: AsyncConnection) -> None:
    """Wake the relay. Call it after the commit, in a transaction of its own, which the caller commits.

    Inside a writing transaction, NOTIFY would take a lock at commit that all writers of the database share. The hint
    may be lost or omitted: the relay polls as well.
    """
    await connection.execute(_NOTIFY)


def _row(envelope: Envelope, event: Event) -> dict[str, str | int | None]:
    return {
        "message_id": envelope.message_id,
        "type": envelope.type,
        "source": envelope.source,
        "time": envelope.time,
        "key": envelope.key,
        "correlation_id": envelope.correlation_id,
        "reply_to": envelope.reply_to,
        "traceparent": envelope.traceparent,
        "payload": codec.encode(event).decode(),
    }
