"""The notifications of authors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.mongo.base import MongoView
from cheeper_contracts import views

_NOTIFICATIONS: Final = """
    SELECT n.notification_id::text, n.author_id::text, n.kind, n.notified_at, n.from_author_id::text, n.cheep_id::text
      FROM notifications AS n WHERE n.notification_id = ANY(%s::uuid[])
"""


class Notifications(MongoView):
    """A document a notification."""

    collection = views.NOTIFICATIONS

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, views.NotificationDocument]:
        """Implement MongoView."""
        return {
            notification_id: views.NotificationDocument(
                notification_id=notification_id,
                author_id=author_id,
                kind=kind,
                at=at,
                from_author_id=from_author_id,
                cheep_id=cheep_id,
            )
            for notification_id, author_id, kind, at, from_author_id, cheep_id in write_model.rows(
                _NOTIFICATIONS, list(ids)
            )
        }
