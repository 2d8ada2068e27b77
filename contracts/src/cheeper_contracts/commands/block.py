from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class Block(Command, frozen=True, kw_only=True):
    """Let an author keep another one away: end the follows between them, and let none begin. Its key is the author who
    blocks, and who is thereby unfollowed at once.
    """

    TYPE: ClassVar[str] = "cheeper.block.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    author_id: str
    blocked_id: str
