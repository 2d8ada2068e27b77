"""Log lines about messages: one line for each, written by one call for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import structlog

from projector.messages.decoding import DecodedMessage
from projector.messages.parked import ParkedMessage
from projector.stores.task_store import LeftOut

log = structlog.get_logger()


class MessageLog:
    """The lines of one store's consumer."""

    def __init__(self, store: str) -> None:
        self._store = store

    def received(self, messages: Iterable[DecodedMessage]) -> None:
        """Log what was read and is to be applied, and which of it is of an unknown type."""
        messages = list(messages)
        self._each(log.info, "received", messages)
        unknown = [message for message in messages if message.poison is None and message.event is None]
        self._each(log.warning, "skipped: unknown type", unknown)

    def applied(self, messages: Iterable[DecodedMessage]) -> None:
        """Log what the store applied."""
        self._each(log.info, "applied", messages)

    def parked(self, messages: Iterable[DecodedMessage], parked: Iterable[ParkedMessage]) -> None:
        """Log what the store parked, and why."""
        self._each(log.info, "parked", messages)
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

    def _each(self, write: Callable[..., object], event: str, messages: Iterable[DecodedMessage]) -> None:
        if each := [_line(message) for message in messages]:
            write(event, store=self._store, each=each)


def log_left_out(left_out: Iterable[LeftOut]) -> None:
    """Log the readers whose timelines lack something until somebody repairs their keys."""
    for one in left_out:
        log.error(
            "reader left out", reader=one.reader_id, author=one.author_id, reason="a key of its view is of a wrong type"
        )


class _Line(msgspec.Struct, frozen=True):
    message_id: str | None
    correlation_id: str | None
    type: str | None
    key: str
    partition: int
    sequence: int | None


def _line(message: DecodedMessage) -> _Line:
    envelope = message.envelope
    return _Line(
        message_id=envelope.message_id if envelope else None,
        correlation_id=envelope.correlation_id if envelope else None,
        type=envelope.type if envelope else None,
        key=message.key,
        partition=message.partition,
        sequence=message.sequence,
    )
