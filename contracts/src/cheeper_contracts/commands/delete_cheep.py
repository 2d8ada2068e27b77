from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class DeleteCheep(Command, frozen=True, kw_only=True):
    """Delete a cheep. Its key is the author who sends it, who must be the cheep's author."""

    TYPE: ClassVar[str] = "cheeper.delete-cheep.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    cheep_id: str
    author_id: str
