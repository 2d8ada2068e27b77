"""The common part of the commands that notify."""

from __future__ import annotations

import dataclasses

from cheeper_contracts.events.author_notified import AuthorNotified
from write_api.domain.notification import Notification
from write_api.domain.repositories import Repositories


async def notify(work: Repositories, notification: Notification) -> AuthorNotified | None:
    """Notify the author. Return None if a notification with that id was made before. Raise AuthorNotFound and
    CheepNotFound.
    """
    if await work.notifications.of_id(notification.notification_id) is not None:
        return None
    await work.notifications.save(notification)
    return AuthorNotified(**dataclasses.asdict(notification))
