"""Messages to bytes and back, by msgspec and tables from type name to struct and to upcaster.

Unknown fields are skipped, so that a consumer outlives a producer's new optional field. The caller decides about an
unknown type, which raises an error of its own. A superseded version is decoded to the current struct, the only one that
consumers see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from cheeper_contracts.catalogue import COMMANDS, EVENTS
from cheeper_contracts.messages import Command, Event, Message
from cheeper_contracts.superseded import SUPERSEDED_COMMANDS, SUPERSEDED_EVENTS


class UnknownMessageTypeError(LookupError):
    """A message's type is in no table here: written by a newer version, or not ours."""


class MalformedMessageError(ValueError):
    """A message's value is not the JSON that its type promises."""


COMMAND_TYPES: Final[dict[str, type[Command]]] = {
    command.TYPE: command for command in (*COMMANDS, *SUPERSEDED_COMMANDS)
}
EVENT_TYPES: Final[dict[str, type[Event]]] = {event.TYPE: event for event in (*EVENTS, *SUPERSEDED_EVENTS)}
"""Every version that can be read, under the type that was written."""

M = TypeVar("M", bound=Message)


class _Reader(Generic[M]):
    """Reads one type and version, as the current struct."""

    def __init__(self, struct: type[M], upcast: Callable[[Any], M] | None) -> None:
        self._decoder = msgspec.json.Decoder(struct)
        self._upcast = upcast

    def read(self, value: bytes) -> M:
        message = self._decoder.decode(value)
        return message if self._upcast is None else self._upcast(message)


_encoder = msgspec.json.Encoder()
_commands = {name: _Reader(struct, SUPERSEDED_COMMANDS.get(struct)) for name, struct in COMMAND_TYPES.items()}
_events = {name: _Reader(struct, SUPERSEDED_EVENTS.get(struct)) for name, struct in EVENT_TYPES.items()}


def encode(message: Command | Event) -> bytes:
    """Return the message as JSON."""
    return _encoder.encode(message)


def decode_command(type_name: str, value: bytes | None) -> Command:
    """Return the command in its current version. Raise UnknownMessageTypeError or MalformedMessageError."""
    return _read(_commands, type_name, value)


def decode_event(type_name: str, value: bytes | None) -> Event:
    """Return the event in its current version. Raise UnknownMessageTypeError or MalformedMessageError."""
    return _read(_events, type_name, value)


def _read(readers: Mapping[str, _Reader[M]], type_name: str, value: bytes | None) -> M:
    reader = readers.get(type_name)
    if reader is None:
        raise UnknownMessageTypeError(type_name)
    try:
        return reader.read(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(f"{type_name}: {error}") from error
