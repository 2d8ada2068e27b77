"""PostgreSQL: what it holds of commands, each found by an index and nothing written.

The outbox has no index by message. But the record of a handled command is written by the same transaction as the
outbox's row of its event: the record's `xmin` is the low half of that transaction's id, by which the outbox is ordered.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from cheeper_audit.stores.write_model import WriteModel
from cheeper_contracts.kafka.dead_letters import BEHIND
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.kafka.topics import COMMANDS
from inspector.failed.messages import StoredMessage
from inspector.trace.effects import RowRef
from inspector.trace.evidence import HandledCommand, OutboxRow, Parked
from inspector.trace.model import Row

_HALF: Final = 2**32
_MOST_LETTERS: Final = 100

_HANDLED: Final = """
    SELECT message_id::text, key, at, accepted, outcome, xmin::text::bigint,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint
      FROM handled_commands WHERE message_id = ANY(%s::uuid[])
"""
_OUTBOX: Final = """
    SELECT o.message_id::text, o.type, o.source, o."time", o.key, o.correlation_id::text, o.reply_to::text,
           o.payload::text, (extract(epoch FROM o.created_at) * 1000000)::bigint, o.epoch, o.xid::text::bigint, o.id,
           coalesce((SELECT (c.epoch, c.xid, c.id) >= (o.epoch, o.xid, o.id) FROM relay_cursor AS c), false)
      FROM outbox AS o
     WHERE o.epoch = ANY(ARRAY(SELECT generate_series(1, coalesce((SELECT max(current_epoch) FROM relay_cursor), 1))))
       AND o.xid = %s::text::xid8 AND o.reply_to = %s::uuid
"""
_LETTERS: Final = """
    SELECT headers, reason, error FROM dead_letters WHERE key = %s ORDER BY id LIMIT %s
"""
_FAILED: Final = """
    SELECT id, headers, reason, error, source_topic, "partition", "offset", key, coalesce(value, '')
      FROM dead_letters ORDER BY id LIMIT %s
"""
_NUMBER_FAILED: Final = "SELECT count(*) FROM dead_letters"
_WORKER: Final = 'SELECT "partition", next_offset FROM consumer_checkpoints WHERE topic = %s'
_AUTHOR_NAMED: Final = "SELECT author_id::text FROM authors WHERE lower(username) = lower(%s)"
_AUTHOR: Final = "SELECT 1 FROM authors WHERE author_id = %s::uuid"
_CHEEP: Final = "SELECT author_id::text, cheep_date, edited_at, deleted_at FROM cheeps WHERE cheep_id = %s::uuid"
_NEWEST_CHEEPS: Final = """
    SELECT cheep_id::text FROM cheeps WHERE author_id = %s::uuid ORDER BY cheep_date DESC LIMIT %s
"""
# Neither e-mail addresses nor digests.
_ROWS: Final[dict[str, LiteralString]] = {
    "authors": "SELECT to_jsonb(r) - '{email,email_unique_form,sign_up_digest}'::text[] FROM authors AS r"
    " WHERE author_id = %s::uuid",
    "follows": "SELECT to_jsonb(r) FROM follows AS r WHERE to_author_id = %s::uuid AND from_author_id = %s::uuid",
    "mutes": "SELECT to_jsonb(r) FROM mutes AS r WHERE author_id = %s::uuid AND muted_id = %s::uuid",
    "blocks": "SELECT to_jsonb(r) FROM blocks AS r WHERE author_id = %s::uuid AND blocked_id = %s::uuid",
    "cheeps": "SELECT to_jsonb(r) - 'post_digest' FROM cheeps AS r WHERE cheep_id = %s::uuid",
    "notifications": "SELECT to_jsonb(r) FROM notifications AS r WHERE notification_id = %s::uuid",
}


def read_worker(write_model: WriteModel, prefix: str) -> dict[int, int]:
    """Return the offsets of the commands that the worker takes next, by partition. Raise StoreUnavailableError."""
    return dict(write_model.rows(_WORKER, COMMANDS.named(prefix)))


class PostgresReader:
    """The write model in a snapshot, which `connect` begins at the first read. Methods raise StoreUnavailableError."""

    def __init__(self, connect: Callable[[], WriteModel]) -> None:
        self._connect = connect
        self._write_model: WriteModel | None = None

    def handled(self, message_ids: Collection[str]) -> dict[str, HandledCommand]:
        """Return the records of handled and reserved commands by message id."""
        found = self._rows(_HANDLED, list(message_ids))
        return {
            message_id: HandledCommand(
                message_id=message_id,
                key=key,
                at=at,
                accepted=accepted,
                outcome=outcome,
                xid=None if outcome is None else full_xid(xmin, newest),
            )
            for message_id, key, at, accepted, outcome, xmin, newest in found
        }

    def outbox_row(self, command: HandledCommand) -> OutboxRow | None:
        """Return the outbox's row of a command's event, or None if retention has dropped it."""
        if command.xid is None:
            return None
        found = self._rows(_OUTBOX, str(command.xid), command.message_id)
        return _outbox_row(found[0]) if found else None

    def rows(self, refs: Sequence[RowRef]) -> tuple[Row, ...]:
        """Return the rows as they are in the snapshot."""
        return tuple(self._row(ref) for ref in refs if ref.table in _ROWS)

    def dead_letters(self, key: str) -> tuple[Parked, ...]:
        """Return the parked commands and events of a key, in their order, at most 100."""
        found = self._rows(_LETTERS, key.replace("\0", "\ufffd"), _MOST_LETTERS)
        return tuple(Parked(_message_id(headers), error or reason) for headers, reason, error in found)

    def failed(self, most: int) -> tuple[StoredMessage, ...]:
        """Return parked commands and events of the write side, in their order."""
        return tuple(_failed(values) for values in self._rows(_FAILED, most))

    def number_failed(self) -> int:
        """Return the number of the write side's parked messages."""
        [(number,)] = self._rows(_NUMBER_FAILED)
        return int(number)

    def author_named(self, username: str) -> str | None:
        """Return the id of the author with that username."""
        found = self._rows(_AUTHOR_NAMED, username.replace("\0", "\ufffd"))
        return str(found[0][0]) if found else None

    def has_author(self, author_id: str) -> bool:
        """Return whether the author exists."""
        return bool(self._rows(_AUTHOR, author_id))

    def newest_cheeps(self, author_id: str, most: int) -> tuple[str, ...]:
        """Return the ids of an author's newest cheeps, deleted ones too."""
        return tuple(str(identifier) for (identifier,) in self._rows(_NEWEST_CHEEPS, author_id, most))

    def cheep_times(self, cheep_id: str) -> tuple[str, tuple[int, ...]] | None:
        """Return a cheep's author, and when it was posted, edited last and deleted; None if there is no such cheep."""
        found = self._rows(_CHEEP, cheep_id)
        if not found:
            return None
        author_id, *times = found[0]
        return author_id, tuple(time for time in times if time is not None)

    def _rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        if self._write_model is None:
            self._write_model = self._connect()
        return self._write_model.rows(query, *values)

    def _row(self, ref: RowRef) -> Row:
        found = self._rows(_ROWS[ref.table], *ref.identifier)
        return Row(ref.table, " ".join(ref.identifier), found[0][0] if found else None)


def full_xid(xmin: int, newest: int) -> int:
    """Return the transaction whose low half is `xmin`: the last one that is not newer than `newest`."""
    found = newest - newest % _HALF + xmin
    return found if found <= newest else found - _HALF


def _outbox_row(values: Sequence[Any]) -> OutboxRow:
    message_id, type_, source, time, key, correlation_id, reply_to, payload, began_at, *place, relayed = values
    return OutboxRow(
        envelope=Envelope(
            message_id=message_id,
            type=type_,
            source=source,
            time=time,
            key=key,
            correlation_id=correlation_id,
            reply_to=reply_to,
        ),
        value=payload.encode(),
        began_at=began_at,
        place=(place[0], place[1], place[2]),
        relayed=relayed,
    )


def _message_id(headers: Sequence[Sequence[str]]) -> str | None:
    """Return the id in a dead letter's headers, or None if they have none that is a UUID."""
    try:
        return str(UUID(_header(headers, "ce_id") or ""))
    except ValueError:
        return None


def _header(headers: Sequence[Sequence[str]], wanted: str) -> str | None:
    found = next((value for name, value in headers if name == wanted), None)
    return None if found is None else b64decode(found).decode(errors="replace")


def _failed(values: Sequence[Any]) -> StoredMessage:
    identifier, headers, reason, error, topic, partition, offset, key, value = values
    return StoredMessage(
        id=str(identifier),
        topic=topic,
        partition=partition,
        offset=offset,
        key=key,
        message_id=_message_id(headers),
        type=_header(headers, "ce_type"),
        behind=reason == BEHIND,
        reason=error or reason,
        value=bytes(value),
    )
