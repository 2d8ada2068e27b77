from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class Unmute(Command, frozen=True, kw_only=True):
    """Let an author see another one again. Its key is that of Mute."""

    TYPE: ClassVar[str] = "cheeper.unmute.v1"
    KEY: ClassVar[str] = "muted_id"
    ACTOR: ClassVar[str] = "author_id"

    author_id: str
    muted_id: str
