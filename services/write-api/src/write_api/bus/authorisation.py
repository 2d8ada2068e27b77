"""Authorisation: whether the actor of a command is the one that its declaration requires. This is its one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cheeper_contracts.actors import ANYONE, SYSTEM, SYSTEM_ACTOR
from cheeper_contracts.messages import Command

NOT_ALLOWED: Final = "not_allowed"
SENTENCE: Final = "Its sender may not send this command"

IsAllowed = Callable[[Command, str | None], bool]
"""Returns whether a command may be sent by this actor: an author's id, the system's name, or None if it is unknown."""


class NotAllowedError(Exception):
    """The command's actor is not the one that its declaration requires. Nothing was done, and nothing recorded."""


def by_declaration(command: Command, actor: str | None) -> bool:
    """Return True if the actor is the one that the command declares."""
    if command.ACTOR == ANYONE:
        return True
    required = SYSTEM_ACTOR if command.ACTOR == SYSTEM else getattr(command, command.ACTOR)
    return actor == required


def everything(command: Command, actor: str | None) -> bool:
    """Return True: without tokens, nobody knows who sends a command."""
    del command, actor
    return True
