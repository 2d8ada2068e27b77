from __future__ import annotations

import msgspec

from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.events.author_notified import AuthorNotified
from write_api.commands.notifying import notify
from write_api.domain.notification import Notification
from write_api.domain.repositories import Repositories


async def notify_author_about_new_follower(
    command: NotifyAuthorAboutNewFollower, work: Repositories, now: int
) -> AuthorNotified | None:
    """Notify an author about a new follower. Return None if this notification was made before."""
    return await notify(work, Notification.of("new_follower", msgspec.structs.asdict(command), now))
