from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.actors import SYSTEM
from cheeper_contracts.messages import Command


class WelcomeAuthor(Command, frozen=True, kw_only=True):
    """Welcome an author who has just signed up, by a notification. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.welcome-author.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = SYSTEM

    notification_id: str
    author_id: str
