"""CloudEvents 1.0 in the Kafka binding's binary mode: the headers are the envelope, the value is the message.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

CONTENT_TYPE = "application/json"
SPEC_VERSION = "1.0"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Headers = list[tuple[str, bytes]]

_SPEC_VERSION_HEADER = ("ce_specversion", SPEC_VERSION.encode())
_CONTENT_TYPE_HEADER = ("content-type", CONTENT_TYPE.encode())


class MalformedEnvelopeError(ValueError):
    """A header of a message is missing or cannot be read. The text names the header."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes of a message beside its content.
    `message_id`     the message's own id (`ce_id`), a UUID
    `type`           its name and version (`ce_type`), such as `cheeper.cheep-posted.v1`
    `source`         the process role that made it (`ce_source`), such as `/write-api/http`
    `time`           when it was made, microseconds since the epoch (`ce_time`)
    `key`            the author whose stream it belongs to (`ce_subject`, and the Kafka key)
    `correlation_id` the message that began the chain of cause and effect (`ce_correlationid`)
    `reply_to`       the message that caused this one (`ce_causationid`), or None for a client's command
    `sequence`       1, 2, 3 … without a gap within the partition of `cheeper.events`, or None for a command
    `traceparent`    the W3C trace context that came with the request, if one came
    `actor`          the caller who sent a command (`ce_actor`), or the system; None for events and without tokens
    """

    message_id: str
    type: str
    source: str
    time: int
    key: str
    correlation_id: str
    reply_to: str | None = None
    sequence: int | None = None
    traceparent: str | None = None
    actor: str | None = None


def to_headers(envelope: Envelope) -> Headers:
    """Return the Kafka headers that carry the envelope."""
    headers = [
        _SPEC_VERSION_HEADER,
        ("ce_id", envelope.message_id.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_time", rfc3339(envelope.time).encode()),
        ("ce_subject", envelope.key.encode()),
        ("ce_correlationid", envelope.correlation_id.encode()),
    ]
    if envelope.reply_to is not None:
        headers.append(("ce_causationid", envelope.reply_to.encode()))
    if envelope.sequence is not None:
        headers.append(("ce_sequence", b"%d" % envelope.sequence))
    headers.append(_CONTENT_TYPE_HEADER)
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    if envelope.actor is not None:
        headers.append(("ce_actor", envelope.actor.encode()))
    return headers


def from_headers(headers: Headers | None) -> Envelope:
    """Return the envelope that Kafka headers carry.

    Raise MalformedEnvelopeError if a required header is missing or one cannot be read.
    """
    try:
        found = {name: value.decode() for name, value in headers or ()}
    except UnicodeDecodeError as error:
        raise MalformedEnvelopeError(f"a header is not UTF-8: {error}") from None
    if found.get("ce_specversion") != SPEC_VERSION:
        raise MalformedEnvelopeError(f"ce_specversion is {found.get('ce_specversion')!r}, not {SPEC_VERSION!r}")
    try:
        sequence = found.get("ce_sequence")
        return Envelope(
            message_id=found["ce_id"],
            type=found["ce_type"],
            source=found["ce_source"],
            time=from_rfc3339(found["ce_time"]),
            key=found["ce_subject"],
            correlation_id=found["ce_correlationid"],
            reply_to=found.get("ce_causationid"),
            sequence=None if sequence is None else int(sequence),
            traceparent=found.get("traceparent"),
            actor=found.get("ce_actor"),
        )
    except KeyError as error:
        raise MalformedEnvelopeError(f"the header {error.args[0]} is missing") from None
    except ValueError as error:
        raise MalformedEnvelopeError(f"a header cannot be read: {error}") from None


def rfc3339(microseconds: int) -> str:
    """Return a time as RFC 3339 text with microseconds, UTC."""
    second, rest = divmod(microseconds, 1_000_000)
    return f"{_to_the_second(second)}.{rest:06d}+00:00"


def from_rfc3339(text: str) -> int:
    """Return the microseconds since the epoch. Raise ValueError if the text is not RFC 3339, or has no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return (moment - EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=64)  # messages that are handled together are mostly of the same seconds
def _to_the_second(second: int) -> str:
    return (EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat()
