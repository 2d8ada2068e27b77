from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class ChangeEmail(Command, frozen=True, kw_only=True):
    """Give an author another e-mail address. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.change-email.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    author_id: str
    email: str
