from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class CommandHandled(Event, frozen=True, kw_only=True):
    """A command found its act already true and changed nothing. Its key is the command's."""

    TYPE: ClassVar[str] = "cheeper.command-handled.v1"
    KEY: ClassVar[str] = "command_key"

    command_type: str
    command_key: str
    changed: bool = False
