"""The trace of one command: its state, its transaction, its steps, and what is gone of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from cheeper_contracts.catalogue import command_type_of
from cheeper_contracts.ids import milliseconds_of
from inspector.attempts import Attempts
from inspector.trace.events import effects_in, event_in
from inspector.trace.evidence import Readers
from inspector.trace.model import CommandTrace, EventTrace, State, Transaction
from inspector.trace.remains import Remains
from inspector.trace.waterfall import Times, steps

MASK: Final = "•••"
"""The text that is shown instead of an e-mail address."""
_PERSONAL: Final = frozenset({"email"})
_GATEWAYS: Final = 8
"""The version of the ids that the gateway makes, whose time is that of the request."""


def command_trace(remains: Remains, event: EventTrace | None, readers: Readers, attempts: Attempts) -> CommandTrace:
    """Return the trace of a command with its event."""
    message, outcome = remains.message, _outcome(remains)
    envelope = message.envelope if message else None
    return CommandTrace(
        message_id=remains.message_id,
        state=_state(remains),
        type=_type(remains),
        key=remains.key,
        correlation_id=remains.correlation_id,
        reply_to=envelope.reply_to if envelope else None,
        actor=envelope.actor if envelope else None,
        content=masked(message.content) if message else None,
        place=message.place if message else None,
        changed=outcome.get("changed"),
        code=outcome.get("code"),
        message=outcome.get("message") or remains.parked,
        transaction=_transaction(remains, readers, attempts),
        event=event,
        steps=steps(_times(remains)),
        notes=tuple(_notes(remains, attempts)),
    )


def masked(content: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a command's fields without personal data."""
    if content is None:
        return None
    return {name: MASK if name in _PERSONAL and value is not None else value for name, value in content.items()}


def _outcome(remains: Remains) -> dict[str, Any]:
    if remains.handled is not None and remains.handled.outcome is not None:
        return remains.handled.outcome
    record = remains.record
    return {} if record is None else {"changed": record.changed, "code": record.code, "message": record.message}


def _state(remains: Remains) -> State:
    is_handled = remains.handled is not None and remains.handled.outcome is not None
    if is_handled or remains.record is not None:
        return "rejected" if _outcome(remains).get("code") else "handled"
    if remains.parked is not None:
        return "parked"
    if remains.event_envelope is not None:
        return "handled"
    return "unknown" if remains.message is None and remains.accepted is None and remains.handled is None else "waiting"


def _type(remains: Remains) -> str | None:
    if remains.message is not None:
        return remains.message.envelope.type
    if remains.record is not None:
        return remains.record.type
    if remains.accepted is not None:
        return remains.accepted.type
    event = event_in(remains)
    return None if event is None else command_type_of(event)


def _transaction(remains: Remains, readers: Readers, attempts: Attempts) -> Transaction | None:
    if remains.handled is None or remains.handled.xid is None:
        return None
    row, refs = remains.row, effects_in(remains).rows
    return Transaction(
        xid=remains.handled.xid,
        began_at=row.began_at if row else None,
        outbox=row.place if row else None,
        relayed=row.relayed if row else None,
        rows=attempts.read("postgres", lambda: readers.write_model.rows(refs), ()),
    )


def _times(remains: Remains) -> Times:
    milliseconds = milliseconds_of(remains.message_id)
    is_request = UUID(remains.message_id).version == _GATEWAYS
    event, message = remains.event_envelope, remains.message
    # The time in the envelope of a process manager's command is that of its event.
    is_clients = message is not None and message.envelope.reply_to is None
    return Times(
        requested=milliseconds * 1_000 if is_request and milliseconds is not None else None,
        sent=message.envelope.time if message is not None and is_clients else None,
        in_commands=message.place.at if message else None,
        began=remains.row.began_at if remains.row else None,
        changed=event.time if event else None,
        in_events=remains.event.place.at if remains.event else None,
    )


def _notes(remains: Remains, attempts: Attempts) -> Iterator[str]:
    """Yield a sentence about each part that should be there and is not."""
    handled, row = remains.handled, remains.row
    is_handled = handled is not None and handled.outcome is not None
    if attempts.has("postgres"):
        if is_handled and row is None:
            yield "The outbox's row of the event is gone: retention removed it, or the database was restored."
        if handled is None and remains.record is not None:
            yield "The write model has no record of the command: the database was restored to an earlier time."
    if attempts.has("kafka"):
        if remains.went_over_kafka and remains.message is None:
            yield "The command is not in cheeper.commands any more, or not where its time says."
        if remains.event is None and row is not None:
            yield (
                "The event is gone from cheeper.events, or is not where its time says."
                if row.relayed
                else "The event waits in the outbox for the relay."
            )
    if attempts.has("redis") and attempts.has("mongo") and remains.event is not None and remains.record is None:
        yield "The stores have no record of the command: it has expired, or the event is not applied yet."
    if remains.went_over_kafka is False:
        yield "The command did not go over Kafka: it ran within its request."
