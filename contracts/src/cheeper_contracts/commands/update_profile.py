from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from cheeper_contracts.messages import Command


class UpdateProfile(Command, frozen=True, kw_only=True):
    """Change parts of an author's profile: a field that is left out stays, null clears it. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.update-profile.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    author_id: str
    name: str | UnsetType | None = UNSET
    bio: str | UnsetType | None = UNSET
    location: str | UnsetType | None = UNSET
    website: str | UnsetType | None = UNSET
    birth_date: str | UnsetType | None = UNSET
