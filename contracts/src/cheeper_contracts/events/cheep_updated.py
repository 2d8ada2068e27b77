from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class CheepUpdated(Event, frozen=True, kw_only=True):
    """An author changed the text of a cheep: the whole cheep, an answer too, as it is now. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.cheep-updated.v1"
    KEY: ClassVar[str] = "author_id"

    cheep_id: str
    author_id: str
    author_username: str
    message: str
    cheep_date: int
    edited_at: int
    in_reply_to: str | None = None
