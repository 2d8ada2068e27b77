from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class CheepDeleted(Event, frozen=True, kw_only=True):
    """An author deleted a cheep; answers to it stay. Its key is the author. `cheep_date` is when it was posted."""

    TYPE: ClassVar[str] = "cheeper.cheep-deleted.v1"
    KEY: ClassVar[str] = "author_id"

    cheep_id: str
    author_id: str
    cheep_date: int
    deleted_at: int
    in_reply_to: str | None = None
