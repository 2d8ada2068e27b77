"""Log lines about messages: one line for each, written by one call for all of them.

At the default level a message that reports a change has one line of each store, the one that says that it is applied.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import msgspec
import structlog

from cheeper_runtime.traces.traceparent import ids
from projector.consumer.step_limit import is_domain
from projector.messages.decoding import DecodedMessage
from projector.messages.parked import ParkedMessage
from projector.stores.base import Item
from projector.stores.task_store import LeftOut

log = structlog.get_logger()


class MessageLog:
    """The lines of one store's consumer."""

    def __init__(self, store: str) -> None:
        self._store = store

    def received(self, messages: Iterable[DecodedMessage]) -> None:
        """Log what was read and is to be applied, and which of it is of an unknown type."""
        messages = list(messages)
        self._each(logging.DEBUG, "received", messages)
        unknown = [message for message in messages if message.poison is None and message.event is None]
        self._each(logging.WARNING, "skipped: unknown type", unknown)

    def applied(self, items: Iterable[Item]) -> None:
        """Log what the store applied: changes, and outcomes of commands, which the write side has logged."""
        items = list(items)
        self._each(logging.INFO, "applied", (item.message for item in items if is_domain(item)))
        self._each(logging.DEBUG, "applied", (item.message for item in items if not is_domain(item)))

    def parked(self, messages: Iterable[DecodedMessage], parked: Iterable[ParkedMessage]) -> None:
        """Log what the store parked, and why."""
        self._each(logging.INFO, "parked", messages)
        for message in parked:
            log.error(
                "waits" if message.behind else "cannot be applied",
                store=self._store,
                partition=message.partition,
                offset=message.offset,
                sequence=message.sequence,
                reason=message.reason,
                stack_digest=message.stack_digest,
            )

    def _each(self, level: int, event: str, messages: Iterable[DecodedMessage]) -> None:
        if log.is_enabled_for(level) and (each := [_line(message) for message in messages]):
            log.log(level, event, store=self._store, each=each)


def log_left_out(left_out: Iterable[LeftOut]) -> None:
    """Log the readers whose timelines lack something until somebody repairs their keys."""
    for one in left_out:
        log.error(
            "reader left out", reader=one.reader_id, author=one.author_id, reason="a key of its view is of a wrong type"
        )


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    message_id: str | None
    correlation_id: str | None
    type: str | None
    key: str
    partition: int
    sequence: int | None
    trace_id: str | None = None
    span_id: str | None = None


def _line(message: DecodedMessage) -> _Line:
    envelope = message.envelope
    trace_id, span_id = ids(envelope.traceparent if envelope else None)
    return _Line(
        message_id=envelope.message_id if envelope else None,
        correlation_id=envelope.correlation_id if envelope else None,
        type=envelope.type if envelope else None,
        key=message.key,
        partition=message.partition,
        sequence=message.sequence,
        trace_id=trace_id,
        span_id=span_id,
    )
