"""What authors were told."""

from __future__ import annotations

from typing import Final

from cheeper_contracts.views import AUTHORS, NOTIFICATIONS, NotificationDocument
from read_api.query_bus.paging import Listed, Part
from read_api.stores.mongo.pages import SIGNED_UP, Listing, listed
from read_api.stores.mongo.reader import Reader

_BY_AUTHOR: Final = Listing(collection=NOTIFICATIONS, owner="author_id", time="at", tie="_id")


class MongoNotifications:
    """The view of notifications."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def of_author(self, author_id: str, part: Part, *, after: str | None) -> Listed[NotificationDocument]:
        """As `NotificationsOfAuthors` says."""
        pipeline = _BY_AUTHOR.part(author_id, SIGNED_UP, part)
        return listed(await self._reader.first(AUTHORS, pipeline, after=after), NotificationDocument)
