from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class NotifyAuthorAboutNewFollower(Command, frozen=True, kw_only=True):
    """Notify an author of a new follower. Its key is the notified author."""

    TYPE: ClassVar[str] = "cheeper.notify-author-about-new-follower.v1"
    KEY: ClassVar[str] = "author_id"

    notification_id: str
    author_id: str
    follower_id: str
