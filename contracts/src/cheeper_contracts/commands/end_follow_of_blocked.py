from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.actors import SYSTEM
from cheeper_contracts.messages import Command


class EndFollowOfBlocked(Command, frozen=True, kw_only=True):
    """End the follow of an author by one who blocks it. Its key is the followed author, as that of Follow: a block has
    the other key, so this follows from its event.

    A follow that began after `blocked_at` is ended only while the block lasts.
    """

    TYPE: ClassVar[str] = "cheeper.end-follow-of-blocked.v1"
    KEY: ClassVar[str] = "to_author_id"
    ACTOR: ClassVar[str] = SYSTEM

    from_author_id: str
    to_author_id: str
    blocked_at: int
