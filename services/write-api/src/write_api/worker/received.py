"""What comes from `cheeper.commands`, told apart: commands, and messages that are none."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

import msgspec

from cheeper_contracts import codec
from cheeper_contracts.envelope import Headers, MalformedEnvelopeError, from_headers
from write_api.commands.outcome import Incoming

MALFORMED: Final = "malformed"
UNKNOWN_TYPE: Final = "unknown type"
CRASHED: Final = "crashed"
BEHIND: Final = "behind"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message as Kafka gave it. `key` is none where it has none or none that is text: it is ordered with nothing."""

    topic: str
    partition: int
    offset: int
    key: str | None
    headers: Headers
    value: bytes | None

    def content_digest(self) -> bytes:
        """32 bytes by which the message is known again, beside its place."""
        return hashlib.sha256(msgspec.msgpack.encode((self.key, self.headers, self.value))).digest()

    def message_id(self) -> str | None:
        """What the message says to be its id, where it says that readably."""
        return self.header("ce_id")

    def header(self, name: str) -> str | None:
        """A header's text, as far as it can be read."""
        found = dict(self.headers).get(name)
        return None if found is None else found.decode(errors="replace")


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be parked: why (one of the reasons above), the error, and the digest of its stack."""

    message: Received
    reason: str
    error: str | None = None
    stack_digest: str | None = None


def read(message: Received) -> Incoming | Letter:
    """The command that the message holds, or the letter to park it as."""
    try:
        envelope = from_headers(message.headers)
        for identifier in (envelope.message_id, envelope.correlation_id, envelope.reply_to):
            if identifier is not None and str(UUID(identifier)) != identifier:
                raise MalformedEnvelopeError(f"{identifier!r} is no UUID in lower-case text")
        command = codec.decode_command(envelope.type, message.value)
        if not message.key == envelope.key == command.key:
            raise MalformedEnvelopeError(f"the keys of message, envelope and command differ: {message.key!r}")
    except codec.UnknownMessageTypeError as error:
        return Letter(message=message, reason=UNKNOWN_TYPE, error=str(error))
    except ValueError as error:  # which an envelope, a value and a UUID that cannot be read all are
        return Letter(message=message, reason=MALFORMED, error=str(error))
    return Incoming(command=command, envelope=envelope)
