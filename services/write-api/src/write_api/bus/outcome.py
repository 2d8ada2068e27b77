"""What became of a command, and the digest by which the same command is known again."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any, Final

import msgspec

from cheeper_contracts.envelope import Envelope
from cheeper_contracts.messages import Command

MESSAGE_ID_REUSED: Final = "message_id_reused"

_encoder = msgspec.json.Encoder(order="sorted")


class ReceivedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command with what is said of it."""

    command: Command
    envelope: Envelope


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command.

    `accepted`  its sender was told that it is accepted, and is told so again, whatever became of it since
    `changed`   it did something; otherwise its act was already true, or it was refused
    `code`      of the refusal, one of `answers.STATUS_OF`, and `message`, its sentence
    """

    changed: bool = False
    code: str | None = None
    message: str | None = None
    accepted: bool = False


class KnownCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a command by its message id. One that is only reserved has no outcome yet."""

    digest: bytes
    accepted: bool
    outcome: Outcome | None

    def answer(self, message_id: str, digest: bytes) -> Outcome | None:
        """What a command with that message id is to be told; none if it is this one and still to be run."""
        if digest != self.digest:
            return Outcome(
                code=MESSAGE_ID_REUSED, message=f'The message id "{message_id}" was used for another request'
            )
        return None if self.outcome is None else msgspec.structs.replace(self.outcome, accepted=self.accepted)


def digest_of(command: Command) -> bytes:
    """32 bytes by which a repeat of a command is told from another command with its message id.

    It is of the command, not of the HTTP request, so that it is the same in every transport. Fields at their default
    do not count, so that an optional field which is added later does not change it.
    """
    given = {name: value for name, default in _fields(type(command)) if (value := getattr(command, name)) != default}
    return hashlib.sha256(_encoder.encode([command.TYPE, given])).digest()


@cache
def _fields(command_type: type[Command]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in msgspec.structs.fields(command_type))
