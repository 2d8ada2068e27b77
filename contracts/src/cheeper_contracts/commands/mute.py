from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class Mute(Command, frozen=True, kw_only=True):
    """Let an author see another one's cheeps and notifications no more. Its key is the author who is muted, as that of
    Follow is the one who is followed: all that decides whether a cheep reaches a reader is in one order.
    """

    TYPE: ClassVar[str] = "cheeper.mute.v1"
    KEY: ClassVar[str] = "muted_id"
    ACTOR: ClassVar[str] = "author_id"

    author_id: str
    muted_id: str
