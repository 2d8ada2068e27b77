"""GET /author/{author_id}/notifications, from MongoDB."""

from __future__ import annotations

from typing import Final, Literal, Protocol

import msgspec

from cheeper_contracts.views import NotificationDocument, whole_seconds
from read_api.queries.shapes import AUTHOR
from read_api.query_bus.paging import ListQuery, Position, Slice, page_of, slice_of
from read_api.query_bus.query import Result

UNREAD_MAX: Final = 50
"""The number of the newest notifications that are counted if they are unread."""


class Notifications(ListQuery, frozen=True, kw_only=True):
    """The notifications of an author, newest first."""

    subject = AUTHOR
    owner = "author_id"

    author_id: str


class Notification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notification. `author_id` is the author who caused it, `cheep_id` the answer that it is about; each is left out
    if there is none, and so are the author's username and the answer's message if these are not there (any more).
    """

    notification_id: str
    kind: Literal["welcome", "new_follower", "answer"]
    at: str
    read: bool
    author_id: str | None = None
    author_username: str | None = None
    cheep_id: str | None = None
    cheep_message: str | None = None


class ListedNotification(NotificationDocument, frozen=True, kw_only=True):
    """A notification with the current username of who caused it and the current message of what it is about. It is
    `read` if its author has marked it or a newer one.
    """

    read: bool
    author_username: str | None = None
    cheep_message: str | None = None


class NotificationList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of notifications, newest first."""

    notifications: list[Notification]


class NotificationsOfAuthors(Protocol):
    """The view of notifications."""

    async def of_author(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedNotification]]:
        """Return a part of the author's notifications, newest first. The first part has `unread`, the number of unread
        ones among the newest UNREAD_MAX. Raise StoreUnavailableError.
        """


async def list_notifications(query: Notifications, notifications: NotificationsOfAuthors) -> Result[NotificationList]:
    """Return a page of the notifications."""
    found = await notifications.of_author(query.author_id, slice_of(query), after=query.after)
    return page_of(query, found, _position, _as_list)


def _position(document: ListedNotification) -> Position:
    return document.at, document.notification_id


def _as_list(documents: list[ListedNotification]) -> NotificationList:
    return NotificationList(notifications=[shown(document) for document in documents])


def shown(document: ListedNotification) -> Notification:
    """Return a notification as responses show it."""
    return Notification(
        notification_id=document.notification_id,
        kind=document.kind,
        at=whole_seconds(document.at),
        read=document.read,
        author_id=document.from_author_id,
        author_username=document.author_username,
        cheep_id=document.cheep_id,
        cheep_message=document.cheep_message,
    )
