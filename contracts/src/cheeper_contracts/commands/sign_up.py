from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class SignUp(Command, frozen=True, kw_only=True):
    """Sign an author up. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.sign-up.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    author_id: str
    username: str
    email: str
    name: str | None = None
    bio: str | None = None
    location: str | None = None
    website: str | None = None
    birth_date: str | None = None
