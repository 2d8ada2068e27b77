from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class NewAuthorSigned(Event, frozen=True, kw_only=True):
    """An author signed up. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.new-author-signed.v1"
    KEY: ClassVar[str] = "author_id"

    author_id: str
    username: str
    signed_up_at: int
    name: str | None = None
    bio: str | None = None
    location: str | None = None
    website: str | None = None
    birth_date: str | None = None
