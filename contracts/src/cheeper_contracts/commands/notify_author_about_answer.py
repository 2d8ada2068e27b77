from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.actors import SYSTEM
from cheeper_contracts.messages import Command


class NotifyAuthorAboutAnswer(Command, frozen=True, kw_only=True):
    """Notify an author of an answer to one of its cheeps. Its key is the notified author."""

    TYPE: ClassVar[str] = "cheeper.notify-author-about-answer.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = SYSTEM

    notification_id: str
    author_id: str
    cheep_id: str
    answered_by: str
