"""The notifications of authors, with the current username of who caused each and the message that it is about.

Those that were caused by somebody whom the notified author mutes or blocks, or by whom it is blocked, are left out. A
mute and a block hide while they last, so what they hid is there again after their end.
"""

from __future__ import annotations

from typing import Any, Final

from cheeper_contracts.views import AUTHORS, BLOCKS, CHEEPS, MUTES, NOTIFICATIONS, Collection
from read_api.queries.notifications import UNREAD_MAX, ListedNotification
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.listing import SIGNED_UP, Listing
from read_api.stores.mongo.reader import Reader


def _looked_up(collection: Collection, key: str, field: str, name: str) -> list[Document]:
    """Return stages that give an entry the `field` of a document of the collection, whose id is in `key`, as `name`."""
    only = [{"$project": {field: 1}}]
    return [
        {
            "$lookup": {
                "from": collection.name,
                "localField": key,
                "foreignField": "_id",
                "pipeline": only,
                "as": "found",
            }
        },
        {"$set": {name: {"$first": f"$found.{field}"}}},
    ]


class _Notification(ListedNotification, frozen=True, kw_only=True):
    """A notification in the list, with the mute and the blocks that hide it."""

    mutes: list[dict[str, Any]]
    blocks: list[dict[str, Any]]


def _pair(one: str, other: str) -> dict[str, list[str]]:
    """Return the id of a document about two authors, which is null if nobody caused the notification."""
    return {"$concat": [one, " ", other]}


_HIDDEN: Final[list[Document]] = [
    {"$set": {"mute": _pair("$author_id", "$from_author_id")}},
    {"$set": {"either": ["$mute", _pair("$from_author_id", "$author_id")]}},
    {"$lookup": {"from": MUTES.name, "localField": "mute", "foreignField": "_id", "as": "mutes"}},
    {"$lookup": {"from": BLOCKS.name, "localField": "either", "foreignField": "_id", "as": "blocks"}},
]
_READ: Final[Document] = {
    "$or": [
        {"$lt": ["$at", "$$read_until"]},
        {"$and": [{"$eq": ["$at", "$$read_until"]}, {"$lte": ["$_id", "$$read_until_id"]}]},
    ]
}
"""The expression is true of a notification that is read. A mark that is missing is less than every time."""

_BY_AUTHOR: Final = Listing(
    owners=AUTHORS,
    entries=NOTIFICATIONS,
    shape=_Notification,
    owner="author_id",
    time="at",
    tie="_id",
    then=[
        {"$set": {"read": _READ}},
        *_HIDDEN,
        *_looked_up(AUTHORS, "from_author_id", "username", "author_username"),
        *_looked_up(CHEEPS, "cheep_id", "message", "cheep_message"),
    ],
    known=("read_until", "read_until_id"),
    unread=[
        {"$match": {"$expr": {"$not": [_READ]}}},
        *_HIDDEN,
        {"$match": {"mutes": {"$size": 0}, "blocks": {"$size": 0}}},
    ],
    unread_max=UNREAD_MAX,
)


class MongoNotifications:
    """The view of notifications."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def of_author(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedNotification]]:
        """Implement `NotificationsOfAuthors`."""
        found = await _BY_AUTHOR.filled(
            self._reader,
            author_id,
            part,
            shown=lambda notification: not notification.mutes and not notification.blocks,
            position_of=lambda notification: (notification.at, notification.notification_id),
            matching=SIGNED_UP,
            after=after,
        )
        return found.map(list[ListedNotification])
