from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.events.author_notified import AuthorNotified
from write_api.commands.notifying import notify
from write_api.domain.notification import Notification
from write_api.domain.repositories import Repositories

QUIET: Final = 24 * 3600 * 1_000_000
"""Microseconds after a follow that notified in which there is no other notification about the same follower."""


async def notify_author_about_new_follower(
    command: NotifyAuthorAboutNewFollower, work: Repositories, now: int
) -> AuthorNotified | None:
    """Notify an author about a new follower. Return None if the author was notified about this one within QUIET.

    The notification has the time of the follow, and the follows are compared by their times. So the decision does not
    depend on when the command is handled, as after an outage or a second time.
    """
    given = msgspec.structs.asdict(command)
    followed_at = given.pop("followed_at")
    notification = Notification.of("new_follower", given, now if followed_at is None else followed_at)
    if command.previous_notification_id is not None:
        previous = await work.notifications.of_id(command.previous_notification_id)
        if previous is not None and notification.notified_at - previous.notified_at < QUIET:
            return None
    return await notify(work, notification)
