from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class NotificationsRead(Event, frozen=True, kw_only=True):
    """An author has read a notification and all that are older. `notified_at` is the time of that notification."""

    TYPE: ClassVar[str] = "cheeper.notifications-read.v1"
    KEY: ClassVar[str] = "author_id"

    author_id: str
    notification_id: str
    notified_at: int
    read_at: int
