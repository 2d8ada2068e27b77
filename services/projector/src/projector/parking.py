"""A message set aside: poison, or one that waits behind poison of its key."""

from __future__ import annotations

from base64 import b64encode

import msgspec

from projector.decoding import Incoming


class ParkedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A parked message, whole: what replaying it needs, and what a person wants to know.

    `sequence` is none where the message had none to read; headers and value are base64.
    """

    partition: int
    sequence: int | None
    topic_id: str
    offset: int
    key: str
    type: str | None
    message_id: str | None
    correlation_id: str | None
    behind: bool
    why: str
    headers: tuple[tuple[str, str], ...]
    value: str


def parked(incoming: Incoming, topic_id: str, *, why: str, behind: bool) -> ParkedMessage:
    """The message as a store keeps it."""
    envelope = incoming.envelope
    return ParkedMessage(
        partition=incoming.partition,
        sequence=incoming.sequence,
        topic_id=topic_id,
        offset=incoming.offset,
        key=incoming.key,
        type=envelope.type if envelope else None,
        message_id=envelope.message_id if envelope else None,
        correlation_id=envelope.correlation_id if envelope else None,
        behind=behind,
        why=why,
        headers=tuple((name, b64encode(value or b"").decode()) for name, value in incoming.headers),
        value=b64encode(incoming.value or b"").decode(),
    )
