from __future__ import annotations

import msgspec

from cheeper_contracts.commands.mark_notifications_read import MarkNotificationsRead
from cheeper_contracts.events.notifications_read import NotificationsRead
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.errors import NotificationNotFound
from write_api.domain.repositories import Repositories


async def mark_notifications_read(
    command: MarkNotificationsRead, work: Repositories, now: int
) -> NotificationsRead | None:
    """Mark a notification and all older ones as read. Return None if they are already."""
    given = values.checked(msgspec.structs.asdict(command), now)
    author = await author_of(work, given["author_id"])
    notification = await work.notifications.of_id(given["notification_id"])
    if notification is None or notification.author_id != author.author_id:
        raise NotificationNotFound(given["notification_id"])
    if not author.read_until(notification):
        return None
    await work.authors.save(author)
    return NotificationsRead(
        author_id=author.author_id,
        notification_id=notification.notification_id,
        notified_at=notification.notified_at,
        read_at=now,
    )
