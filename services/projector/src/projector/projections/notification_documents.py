"""MongoDB: the notifications of authors."""

from __future__ import annotations

from cheeper_contracts import views
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.notifications_read import NotificationsRead
from projector.projections.meta import Meta
from projector.projections.writes import SetFields


def author_notified(event: AuthorNotified, _meta: Meta) -> tuple[SetFields]:
    """Write the notification."""
    fields = {
        "author_id": event.author_id,
        "kind": event.kind,
        "at": event.notified_at,
        "from_author_id": event.from_author_id,
        "cheep_id": event.cheep_id,
    }
    return (SetFields(views.NOTIFICATIONS.name, event.notification_id, fields),)


def notifications_read(event: NotificationsRead, _meta: Meta) -> tuple[SetFields]:
    """Move the mark up to which the author has read."""
    fields = {"read_until": event.notified_at, "read_until_id": event.notification_id}
    return (SetFields(views.AUTHORS.name, event.author_id, fields),)
