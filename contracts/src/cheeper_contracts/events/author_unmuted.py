from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class AuthorUnmuted(Event, frozen=True, kw_only=True):
    """An author unmuted another one, who is its key."""

    TYPE: ClassVar[str] = "cheeper.author-unmuted.v1"
    KEY: ClassVar[str] = "muted_id"

    author_id: str
    muted_id: str
    unmuted_at: int
