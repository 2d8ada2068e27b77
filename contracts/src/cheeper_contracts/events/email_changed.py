from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class EmailChanged(Event, frozen=True, kw_only=True):
    """An author changed its e-mail address, which no event carries. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.email-changed.v1"
    KEY: ClassVar[str] = "author_id"

    author_id: str
    changed_at: int
