from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class Unblock(Command, frozen=True, kw_only=True):
    """Let an author end a block of another one. Its key is that of Block."""

    TYPE: ClassVar[str] = "cheeper.unblock.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    author_id: str
    blocked_id: str
