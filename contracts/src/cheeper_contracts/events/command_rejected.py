from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class CommandRejected(Event, frozen=True, kw_only=True):
    """The domain refused a command. `code` is one of `responses.STATUS_OF`, `message` one sentence for the client.
    Its key is the command's.
    """

    TYPE: ClassVar[str] = "cheeper.command-rejected.v1"
    KEY: ClassVar[str] = "command_key"

    command_type: str
    command_key: str
    code: str
    message: str
