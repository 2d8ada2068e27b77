"""Decode a Kafka message to an event, or to the reason why it is none.

A type that the contracts do not know was written by a newer version: it is skipped by rule, with its sequence.
Anything else that cannot be read is poison.
"""

from __future__ import annotations

from typing import Final, cast

import msgspec
from confluent_kafka import Message

from cheeper_contracts.kafka.codec import MalformedMessageError, UnknownMessageTypeError, decode_event
from cheeper_contracts.kafka.envelope import Envelope, Headers, MalformedEnvelopeError, from_headers
from cheeper_contracts.messages import Event
from projector.messages.stack_digest import stack_digest

_MOST_DIGITS: Final = 15  # of a sequence: what Redis's Lua counts exactly


class DecodedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the log. `event` is None for an unknown type and for poison, which has a reason and a digest of the
    stack. `topic` is None if an older projector parked the message without it.
    """

    topic: str | None
    partition: int
    offset: int
    sequence: int | None
    key: str
    envelope: Envelope | None
    event: Event | None
    poison: str | None
    headers: Headers
    value: bytes | None
    stack_digest: str | None = None


def decode(message: Message) -> DecodedMessage:
    """Return the message, decoded as far as possible. Raise nothing, whatever the message contains."""
    return decoded(
        topic=message.topic(),
        partition=cast("int", message.partition()),
        offset=cast("int", message.offset()),
        key=(message.key() or b"").decode(errors="backslashreplace"),
        headers=headers_of(message),
        value=message.value(),
    )


def decoded(  # noqa: PLR0913 - the parts of a message
    *, topic: str | None, partition: int, offset: int, key: str, headers: Headers, value: bytes | None
) -> DecodedMessage:
    """Return the message from its parts, as `decode` does."""
    envelope, event, poison, digest = None, None, None, None
    try:
        envelope = from_headers(headers)
        event = _event(envelope, headers, key, value)
    except (MalformedEnvelopeError, MalformedMessageError) as error:
        poison, digest = str(error), stack_digest(error)
    return DecodedMessage(
        topic=topic,
        partition=partition,
        offset=offset,
        sequence=sequence_of(headers),
        key=key,
        envelope=envelope,
        event=event,
        poison=poison,
        headers=headers,
        value=value,
        stack_digest=digest,
    )


def headers_of(message: Message) -> Headers:
    """Return the headers. One without a value is empty."""
    return [(name, value or b"") for name, value in cast("Headers", message.headers() or [])]


def sequence_of(headers: Headers) -> int | None:
    """Return the sequence, even if the other headers cannot be read, or None if it is not a positive number."""
    text = dict(headers).get("ce_sequence", b"")
    return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS and int(text) > 0 else None


def _event(envelope: Envelope, headers: Headers, key: str, value: bytes | None) -> Event | None:
    if sequence_of(headers) is None:
        raise MalformedEnvelopeError("the header ce_sequence is missing, or no positive number")
    try:
        event = decode_event(envelope.type, value)
    except UnknownMessageTypeError:
        return None
    if not key == envelope.key == event.key:
        raise MalformedMessageError(f"keys differ: {key!r} in Kafka, {envelope.key!r} as subject, {event.key!r} inside")
    return event
