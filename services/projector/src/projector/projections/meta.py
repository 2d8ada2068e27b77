from __future__ import annotations

import msgspec

from cheeper_contracts.envelope import Envelope


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What a projection may know of an event beside its content. `time` is in microseconds since the epoch."""

    message_id: str
    correlation_id: str
    reply_to: str | None
    key: str
    partition: int
    sequence: int
    time: int


def meta_of(envelope: Envelope, partition: int, sequence: int) -> Meta:
    """The meta of a message at its place in the log."""
    return Meta(
        message_id=envelope.message_id,
        correlation_id=envelope.correlation_id,
        reply_to=envelope.reply_to,
        key=envelope.key,
        partition=partition,
        sequence=sequence,
        time=envelope.time,
    )
