from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.arrays import among, given, rows_of
from write_api.db.constraints import refusing
from write_api.db.tables import ANSWER_POSTED, NOTIFIED_SIGNED_UP, NOTIFIER_SIGNED_UP, notifications
from write_api.domain.errors import AuthorNotFound, CheepNotFound
from write_api.domain.notification import Notification

_of_ids = select(notifications).where(among(notifications.c.notification_id))
_columns = tuple(notifications.c)
_insert = insert(notifications).from_select(_columns, rows_of(_columns))


class PostgresNotifications:
    """Notifications in Postgres."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_id(self, notification_id: str) -> Notification | None:
        """As `domain.repositories` has it."""
        return (await self.of_ids([notification_id])).get(notification_id)

    async def of_ids(self, notification_ids: Collection[str]) -> dict[str, Notification]:
        """Those of the notifications that there are."""
        rows = (await self._connection.execute(_of_ids, {"notification_id": list(notification_ids)})).mappings()
        return {row["notification_id"]: Notification(**row) for row in rows}

    async def save(self, notification: Notification) -> None:
        """As `domain.repositories` has it."""
        refusals = {
            NOTIFIED_SIGNED_UP: AuthorNotFound(notification.author_id),
            NOTIFIER_SIGNED_UP: AuthorNotFound(notification.from_author_id or ""),
            ANSWER_POSTED: CheepNotFound(notification.cheep_id or ""),
        }
        with refusing(refusals):
            await self.save_all([notification])

    async def save_all(self, made: Sequence[Notification]) -> None:
        """Keep these. Raises IntegrityError where `save` names a refusal."""
        await self._connection.execute(_insert, given(_columns, map(dataclasses.asdict, made)))
