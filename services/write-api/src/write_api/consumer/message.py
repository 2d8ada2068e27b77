"""The messages of a consumer: consumed ones, decoded ones, and dead letters, which are messages to be parked."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar, cast
from uuid import UUID

import msgspec
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE
from confluent_kafka import Message as KafkaMessage

from cheeper_contracts.kafka.dead_letters import CRASHED, Reason
from cheeper_contracts.kafka.envelope import Envelope, Headers, MalformedEnvelopeError, from_headers
from cheeper_contracts.messages import Message
from cheeper_runtime.traces.traceparent import id_fields
from write_api.bus.outcome import ReceivedCommand

M = TypeVar("M", bound=Message)
_Pairs = list[tuple[str, bytes | None]]  # what librdkafka returns as headers; the stubs also allow what may be sent


class ConsumedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as Kafka delivered it.

    `key` is None if it has none; such a message is ordered with no other. `timestamp` is in milliseconds since the
    epoch, and None if it is unknown.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    headers: Headers
    value: bytes | None
    timestamp: int | None = None

    def content_digest(self) -> bytes:
        """Return 32 bytes that identify the message within its topic and partition."""
        return hashlib.sha256(msgspec.msgpack.encode((self.key, self.headers, self.value))).digest()

    def header(self, name: str) -> str | None:
        """Return a header's text, with a replacement for each byte that is not text."""
        value = dict(self.headers).get(name)
        return None if value is None else value.decode(errors="replace")

    def log_fields(self) -> dict[str, str | int | None]:
        """Return what identifies the message in the log."""
        return {
            "message_id": self.header("ce_id"),
            "correlation_id": self.header("ce_correlationid"),
            "type": self.header("ce_type"),
            "key": self.key,
            "partition": self.partition,
            "offset": self.offset,
            **id_fields(self.header("traceparent")),
        }


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be parked, with the error and the digest of its stack: 16 hexadecimal digits, the same for failures
    at one place. A message that is parked behind another one has neither.
    """

    message: ConsumedMessage
    reason: Reason
    error: str | None = None
    stack_digest: str | None = None


class DecodedMessage(msgspec.Struct, frozen=True):
    """A message with the commands that follow from it, which may be none, or with the dead letter that it becomes."""

    message: ConsumedMessage
    content: Sequence[ReceivedCommand] | DeadLetter

    @property
    def commands(self) -> Sequence[ReceivedCommand]:
        """The commands, of which a dead letter has none."""
        return () if isinstance(self.content, DeadLetter) else self.content

    def message_ids(self) -> set[str]:
        """Return the message ids of its commands."""
        return {command.envelope.message_id for command in self.commands}


def content_of(message: ConsumedMessage, decode: Callable[[str, bytes | None], M]) -> tuple[M, Envelope]:
    """Return the message's content and envelope; `decode` is the codec's function for commands or for events.

    Raise ValueError if the message cannot be read or is inconsistent, and UnknownMessageTypeError.
    """
    envelope = from_headers(message.headers)
    for identifier in (envelope.message_id, envelope.correlation_id, envelope.reply_to):
        if identifier is not None and str(UUID(identifier)) != identifier:
            raise MalformedEnvelopeError(f"{identifier!r} is no UUID in lower-case text")
    content = decode(envelope.type, message.value)
    if not message.key == envelope.key == content.key:
        raise MalformedEnvelopeError(f"the keys of message, envelope and content differ: {message.key!r}")
    return content, envelope


def crashed(message: ConsumedMessage, error: Exception) -> DeadLetter:
    """Return the dead letter of a message on which our own code crashed."""
    return DeadLetter(message=message, reason=CRASHED, error=sentence(error), stack_digest=_digest(error))


def unreadable(message: ConsumedMessage, reason: Reason, error: Exception) -> DeadLetter:
    """Return the dead letter of a message that is malformed or of an unknown type."""
    return DeadLetter(message=message, reason=reason, error=str(error), stack_digest=_digest(error))


def sentence(error: Exception) -> str:
    """Return an error's type and text in at most 500 characters."""
    return f"{type(error).__name__}: {error}"[:500]


def _digest(error: Exception) -> str:
    stack = "".join(traceback.format_tb(error.__traceback__))
    return hashlib.sha256(f"{type(error).__qualname__}\n{stack}".encode()).hexdigest()[:16]


def received(message: KafkaMessage) -> ConsumedMessage:
    """Return a message that librdkafka received without an error."""
    kind, sent_at = message.timestamp()
    return ConsumedMessage(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=_text(message.key()),
        headers=[(name, _bytes(value)) for name, value in cast("_Pairs", message.headers() or [])],
        value=None if message.value() is None else _bytes(message.value()),
        timestamp=None if kind == TIMESTAMP_NOT_AVAILABLE else sent_at,
    )


def _text(key: str | bytes | None) -> str | None:
    return None if key is None else _bytes(key).decode(errors="replace")


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
