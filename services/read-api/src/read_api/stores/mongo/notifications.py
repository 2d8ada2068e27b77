"""The notifications of authors."""

from __future__ import annotations

from typing import Final

from cheeper_contracts.views import AUTHORS, NOTIFICATIONS, NotificationDocument
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.listing import SIGNED_UP, Listing
from read_api.stores.mongo.reader import Reader

_BY_AUTHOR: Final = Listing(
    owners=AUTHORS, entries=NOTIFICATIONS, shape=NotificationDocument, owner="author_id", time="at", tie="_id"
)


class MongoNotifications:
    """The view of notifications."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def of_author(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[NotificationDocument]]:
        """Implement `NotificationsOfAuthors`."""
        return await _BY_AUTHOR.read(self._reader, author_id, part, matching=SIGNED_UP, after=after)
