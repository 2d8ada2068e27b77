from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class Unfollow(Command, frozen=True, kw_only=True):
    """Let one author follow another no longer. Its key is the followed author, as that of Follow."""

    TYPE: ClassVar[str] = "cheeper.unfollow.v1"
    KEY: ClassVar[str] = "to_author_id"
    ACTOR: ClassVar[str] = "from_author_id"

    from_author_id: str
    to_author_id: str
