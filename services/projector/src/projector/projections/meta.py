from __future__ import annotations

import msgspec

from cheeper_contracts.kafka.envelope import Envelope


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of an event's message that a projection may use. `time` is in microseconds since the epoch."""

    message_id: str
    correlation_id: str
    reply_to: str | None
    key: str
    partition: int
    sequence: int
    time: int


def meta_of(envelope: Envelope, partition: int, sequence: int) -> Meta:
    """Return the meta of a message of the log."""
    return Meta(
        message_id=envelope.message_id,
        correlation_id=envelope.correlation_id,
        reply_to=envelope.reply_to,
        key=envelope.key,
        partition=partition,
        sequence=sequence,
        time=envelope.time,
    )
