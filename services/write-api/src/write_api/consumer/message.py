"""What comes from a topic: messages, what they hold, and letters, which are messages to be parked."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

import msgspec

from cheeper_contracts.dead_letters import CRASHED, Reason
from cheeper_contracts.envelope import Envelope, Headers, MalformedEnvelopeError, from_headers
from cheeper_contracts.messages import Message

M = TypeVar("M", bound=Message)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message as Kafka gave it. `key` is none where it has none or none that is text: it is ordered with nothing.
    `timestamp`: when it was sent, in milliseconds since the epoch, where that is known.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    headers: Headers
    value: bytes | None
    timestamp: int | None = None

    def content_digest(self) -> bytes:
        """32 bytes by which the message is known again, beside its topic and partition."""
        return hashlib.sha256(msgspec.msgpack.encode((self.key, self.headers, self.value))).digest()

    def header(self, name: str) -> str | None:
        """A header's text, as far as it can be read."""
        found = dict(self.headers).get(name)
        return None if found is None else found.decode(errors="replace")

    def told(self) -> dict[str, str | int | None]:
        """What a line of the log says of it."""
        return {
            "message_id": self.header("ce_id"),
            "correlation_id": self.header("ce_correlationid"),
            "type": self.header("ce_type"),
            "key": self.key,
            "partition": self.partition,
            "offset": self.offset,
        }


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be parked: why, the error, and the digest of its stack: 16 hexadecimal
    digits, the same for failures at one place. One that is parked behind others has neither.
    """

    message: Received
    reason: Reason
    error: str | None = None
    stack_digest: str | None = None


def content_of(message: Received, decode: Callable[[str, bytes | None], M]) -> tuple[M, Envelope]:
    """What the message holds, with its envelope; `decode` is the codec's for commands or for events.

    Raises ValueError where it cannot be read or does not fit together, and UnknownMessageTypeError.
    """
    envelope = from_headers(message.headers)
    for identifier in (envelope.message_id, envelope.correlation_id, envelope.reply_to):
        if identifier is not None and str(UUID(identifier)) != identifier:
            raise MalformedEnvelopeError(f"{identifier!r} is no UUID in lower-case text")
    content = decode(envelope.type, message.value)
    if not message.key == envelope.key == content.key:
        raise MalformedEnvelopeError(f"the keys of message, envelope and content differ: {message.key!r}")
    return content, envelope


def crashed(message: Received, error: Exception) -> Letter:
    """The letter of a message on which our own code crashed."""
    return Letter(message=message, reason=CRASHED, error=sentence(error), stack_digest=_digest(error))


def unreadable(message: Received, reason: Reason, error: Exception) -> Letter:
    """The letter of a message that is malformed or of an unknown type."""
    return Letter(message=message, reason=reason, error=str(error), stack_digest=_digest(error))


def sentence(error: Exception) -> str:
    """An error in some words."""
    return f"{type(error).__name__}: {error}"[:500]


def _digest(error: Exception) -> str:
    stack = "".join(traceback.format_tb(error.__traceback__))
    return hashlib.sha256(f"{type(error).__qualname__}\n{stack}".encode()).hexdigest()[:16]
