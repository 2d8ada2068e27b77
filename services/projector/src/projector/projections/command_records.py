"""Both stores: the outcome of a command, so that a reader can wait for its effects (`after`)."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from cheeper_contracts import views
from cheeper_contracts.catalogue import command_type_of
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.http.responses import COMMAND_RECORD_SECONDS
from cheeper_contracts.kafka.envelope import EPOCH
from cheeper_contracts.messages import Event
from projector.projections.meta import Meta
from projector.projections.writes import PutText, SetFields


def in_redis(event: Event, meta: Meta) -> tuple[PutText, ...]:
    """Write the record as a string that expires."""
    return tuple(
        PutText(
            views.COMMAND_RECORD.name,
            record.message_id,
            msgspec.json.encode(record).decode(),
            expires_at=expires_at(record.at),
        )
        for record in records(event, meta)
    )


def in_mongo(event: Event, meta: Meta) -> tuple[SetFields, ...]:
    """Write the record as a document that expires."""
    return tuple(
        SetFields(
            views.COMMANDS.name,
            record.message_id,
            # `_id` is the message id, but the record names it too, so that both stores decode to the same struct.
            msgspec.structs.asdict(record) | {"expires_at": EPOCH + timedelta(seconds=expires_at(record.at))},
        )
        for record in records(event, meta)
    )


def expires_at(at: int) -> int:
    """Return when a record of that time, in microseconds, expires: in seconds since the epoch."""
    # Counted from the message's time, not from now: a rebuild does not bring back the records of years.
    return at // 1_000_000 + COMMAND_RECORD_SECONDS


def records(event: Event, meta: Meta) -> tuple[views.CommandRecord, ...]:
    """Return the record of the command that the event settles, or nothing if no command caused it."""
    if meta.reply_to is None:
        return ()
    rejected = event if isinstance(event, CommandRejected) else None
    return (
        views.CommandRecord(
            message_id=meta.reply_to,
            key=meta.key,
            partition=meta.partition,
            sequence=meta.sequence,
            type=command_type_of(event),
            status="rejected" if rejected else "handled",
            at=meta.time,
            changed=_changed(event),
            code=rejected.code if rejected else None,
            message=rejected.message if rejected else None,
        ),
    )


def _changed(event: Event) -> bool:
    if isinstance(event, CommandHandled):
        return event.changed
    return not isinstance(event, CommandRejected)
