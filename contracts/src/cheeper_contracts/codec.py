"""From message to bytes and back: a literal table from type name to struct, and msgspec.

Unknown fields are passed over, so that a consumer outlives a producer's new optional field; an unknown type is the
caller's to decide on, and so raises an error of its own.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from cheeper_contracts.catalogue import COMMANDS, EVENTS
from cheeper_contracts.messages import Command, Event


class UnknownMessageTypeError(LookupError):
    """A message's type is in no table here: written by a newer version, or not ours."""


class MalformedMessageError(ValueError):
    """A message's value is not the JSON that its type promises."""


COMMAND_TYPES: Final[dict[str, type[Command]]] = {command.TYPE: command for command in COMMANDS}
EVENT_TYPES: Final[dict[str, type[Event]]] = {event.TYPE: event for event in EVENTS}

M = TypeVar("M")

_encoder = msgspec.json.Encoder()
_command_decoders = {name: msgspec.json.Decoder(struct) for name, struct in COMMAND_TYPES.items()}
_event_decoders = {name: msgspec.json.Decoder(struct) for name, struct in EVENT_TYPES.items()}


def encode(message: Command | Event) -> bytes:
    """The message as JSON."""
    return _encoder.encode(message)


def decode_command(type_name: str, value: bytes | None) -> Command:
    """The command of that type. Raises UnknownMessageTypeError or MalformedMessageError."""
    return _decode(_command_decoders, type_name, value)


def decode_event(type_name: str, value: bytes | None) -> Event:
    """The event of that type. Raises UnknownMessageTypeError or MalformedMessageError."""
    return _decode(_event_decoders, type_name, value)


def _decode(decoders: dict[str, msgspec.json.Decoder[M]], type_name: str, value: bytes | None) -> M:
    decoder = decoders.get(type_name)
    if decoder is None:
        raise UnknownMessageTypeError(type_name)
    try:
        return decoder.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(f"{type_name}: {error}") from error
