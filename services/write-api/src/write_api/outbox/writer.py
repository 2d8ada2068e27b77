"""What a writer does with the outbox: leave a message in its transaction, and wake the relay after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cheeper_contracts import codec
from cheeper_contracts.envelope import Envelope
from cheeper_contracts.messages import Event

CHANNEL: Final = "cheeper_outbox"

_COLUMNS: Final = {
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
# One statement for any number of rows, in the order of the arrays. The payload goes in as the very text that Kafka will
# carry. Column defaults give epoch, xid, id and created_at.
_INSERT = text(
    f"INSERT INTO outbox ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)}"  # noqa: S608 - our own constants
    f" FROM unnest({', '.join(f'CAST(:{name} AS {kind}[])' for name, kind in _COLUMNS.items())})"
    f" WITH ORDINALITY AS message ({', '.join(_COLUMNS)}, place) ORDER BY place"
)
_NOTIFY = text(f"NOTIFY {CHANNEL}")


async def append_all(connection: AsyncConnection, messages: Sequence[tuple[Envelope, Event]]) -> None:
    """Leave messages in the caller's transaction, to be published in this order if and only if that commits.

    The transaction must hold the advisory locks of the events' keys since before its first write: that alone makes the
    outbox's order the commit order of a key. The envelopes' `sequence` is the relay's to give, and must be none.
    """
    if messages:
        rows = [_row(envelope, event) for envelope, event in messages]
        await connection.execute(_INSERT, {name: [row[name] for row in rows] for name in _COLUMNS})


async def hint(connection: AsyncConnection) -> None:
    """Wake the relay. To be sent after the commit, in a transaction of its own, which the caller commits.

    Inside a writing transaction NOTIFY would take a lock at commit that all of the database's writers share. The
    hint may be lost or left out: the relay polls as well.
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
