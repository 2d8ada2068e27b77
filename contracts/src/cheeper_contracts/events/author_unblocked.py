from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class AuthorUnblocked(Event, frozen=True, kw_only=True):
    """An author, who is the key, ended a block of another one. No follow comes back."""

    TYPE: ClassVar[str] = "cheeper.author-unblocked.v1"
    KEY: ClassVar[str] = "author_id"

    author_id: str
    blocked_id: str
    unblocked_at: int
