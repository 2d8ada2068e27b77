from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.actors import SYSTEM
from cheeper_contracts.messages import Command


class NotifyAuthorAboutNewFollower(Command, frozen=True, kw_only=True):
    """Notify an author of a new follower. Its key is the notified author.

    Both ids of notifications derive from the pair of authors and a day, UTC: that of the follow, and the one before.
    So a pair has one notification a day, and the handler finds one of less than 24 hours before by its id.
    `followed_at` is the time of the follow, in microseconds since the epoch, by which those 24 hours are counted. The
    second id and the time are None in commands from before December 2026.
    """

    TYPE: ClassVar[str] = "cheeper.notify-author-about-new-follower.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = SYSTEM

    notification_id: str
    author_id: str
    follower_id: str
    previous_notification_id: str | None = None
    followed_at: int | None = None
