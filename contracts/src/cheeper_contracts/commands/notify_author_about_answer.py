from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class NotifyAuthorAboutAnswer(Command, frozen=True, kw_only=True):
    """Tell an author which cheep answers one of its own, and whose that is. Its key is the author who is told."""

    TYPE: ClassVar[str] = "cheeper.notify-author-about-answer.v1"
    KEY: ClassVar[str] = "author_id"

    notification_id: str
    author_id: str
    cheep_id: str
    answered_by: str
