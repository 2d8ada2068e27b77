from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class Follow(Command, frozen=True, kw_only=True):
    """Let one author follow another. Its key is the followed author, so that a follow is ordered with the cheeps
    that it brings into the follower's timeline.
    """

    TYPE: ClassVar[str] = "cheeper.follow.v1"
    KEY: ClassVar[str] = "to_author_id"
    ACTOR: ClassVar[str] = "from_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str
