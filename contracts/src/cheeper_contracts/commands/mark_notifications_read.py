from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class MarkNotificationsRead(Command, frozen=True, kw_only=True):
    """Mark a notification of an author, and all that are older, as read."""

    TYPE: ClassVar[str] = "cheeper.mark-notifications-read.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    author_id: str
    notification_id: str
