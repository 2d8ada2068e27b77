from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class PostCheep(Command, frozen=True, kw_only=True):
    """Post a cheep. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.post-cheep.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    cheep_id: str
    author_id: str
    message: str
