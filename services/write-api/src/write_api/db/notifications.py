from __future__ import annotations

import dataclasses

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.constraints import refusing
from write_api.db.tables import ANSWER_POSTED, NOTIFIED_SIGNED_UP, NOTIFIER_SIGNED_UP, notifications
from write_api.domain.errors import AuthorNotFound, CheepNotFound
from write_api.domain.notification import Notification

_of_id = select(notifications).where(notifications.c.notification_id == bindparam("id"))
_insert = insert(notifications)


class PostgresNotifications:
    """Notifications in Postgres."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_id(self, notification_id: str) -> Notification | None:
        """As `domain.repositories` has it."""
        row = (await self._connection.execute(_of_id, {"id": notification_id})).one_or_none()
        return None if row is None else Notification(**row._mapping)  # noqa: SLF001 - its public name

    async def save(self, notification: Notification) -> None:
        """As `domain.repositories` has it."""
        refusals = {
            NOTIFIED_SIGNED_UP: AuthorNotFound(notification.author_id),
            NOTIFIER_SIGNED_UP: AuthorNotFound(notification.from_author_id or ""),
            ANSWER_POSTED: CheepNotFound(notification.cheep_id or ""),
        }
        with refusing(refusals):
            await self._connection.execute(_insert, dataclasses.asdict(notification))
