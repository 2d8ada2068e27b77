from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import insert, select

from write_api.db.arrays import among, given, rows_of
from write_api.db.repositories.identity_map import IdentityMap
from write_api.db.schema.tables import ANSWER_POSTED, NOTIFIED_SIGNED_UP, NOTIFIER_SIGNED_UP, notifications
from write_api.domain.errors import AuthorNotFound, CheepNotFound, Refusal
from write_api.domain.notification import Notification

_of_ids = select(notifications).where(among(notifications.c.notification_id))
_columns = tuple(notifications.c)
_insert = insert(notifications).from_select(_columns, rows_of(_columns))


class PostgresNotifications(IdentityMap[str, Notification]):
    """The notifications in Postgres."""

    async def of_id(self, notification_id: str) -> Notification | None:
        """Return the notification as `domain.repositories` describes."""
        return await self.get(notification_id)

    async def save(self, notification: Notification) -> None:
        """Save the notification as `domain.repositories` describes."""
        self.put(notification.notification_id, notification)

    async def find(self, identities: Collection[str]) -> dict[str, Notification]:
        """Read the notifications that exist."""
        rows = (await self._connection.execute(_of_ids, {"notification_id": list(identities)})).mappings()
        return {row["notification_id"]: Notification(**row) for row in rows}

    async def write(self, changed: Sequence[Notification]) -> None:
        """Insert these."""
        await self._connection.execute(_insert, given(_columns, map(dataclasses.asdict, changed)))

    def refusals(self, aggregate: Notification) -> Mapping[str, Refusal]:
        """Return the refusals of authors and cheeps that do not exist."""
        return {
            NOTIFIED_SIGNED_UP: AuthorNotFound(aggregate.author_id),
            NOTIFIER_SIGNED_UP: AuthorNotFound(aggregate.from_author_id or ""),
            ANSWER_POSTED: CheepNotFound(aggregate.cheep_id or ""),
        }
