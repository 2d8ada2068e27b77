from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class ProfileUpdated(Event, frozen=True, kw_only=True):
    """An author changed its profile: all of it, as it is now. Its key is the author. The username never changes."""

    TYPE: ClassVar[str] = "cheeper.profile-updated.v1"
    KEY: ClassVar[str] = "author_id"

    author_id: str
    username: str
    updated_at: int
    name: str | None = None
    bio: str | None = None
    location: str | None = None
    website: str | None = None
    birth_date: str | None = None
