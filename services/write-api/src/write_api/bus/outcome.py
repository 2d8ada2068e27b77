"""The outcome of a command, and the digest by which a repeat of it is recognised."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any, Final

import msgspec

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command

MESSAGE_ID_REUSED: Final = "message_id_reused"

_encoder = msgspec.json.Encoder(order="sorted")


class ReceivedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command with its envelope."""

    command: Command
    envelope: Envelope


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a command.

    `accepted`  its sender got the response "accepted", and gets it for every repeat, whatever happened since
    `changed`   it had an effect; otherwise its effect held already, or it was refused
    `code`      of the refusal, and `message`, its sentence
    """

    changed: bool = False
    code: str | None = None
    message: str | None = None
    accepted: bool = False


class KnownCommand(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a command by its message id. A command that is only reserved has no outcome yet."""

    digest: bytes
    accepted: bool
    outcome: Outcome | None

    def outcome_for(self, message_id: str, digest: bytes) -> Outcome | None:
        """Return the outcome of a command that comes with this message id, or None if it is this one, still to be run.
        Another command is refused.
        """
        if digest != self.digest:
            return Outcome(
                code=MESSAGE_ID_REUSED, message=f'The Idempotency-Key "{message_id}" was used for another request'
            )
        return None if self.outcome is None else msgspec.structs.replace(self.outcome, accepted=self.accepted)


def digest_of(command: Command) -> bytes:
    """Return 32 bytes that tell a repeat of a command from another command with its message id.

    They depend on the command, not on the HTTP request, so that they are the same in every transport. Fields with their
    default value do not count, so that an optional field which is added later does not change the digest.
    """
    given = {name: value for name, default in _fields(type(command)) if (value := getattr(command, name)) != default}
    return hashlib.sha256(_encoder.encode([command.TYPE, given])).digest()


@cache
def _fields(command_type: type[Command]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in msgspec.structs.fields(command_type))
