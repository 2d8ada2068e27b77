"""GET /author/{author_id}/notifications, from MongoDB."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from cheeper_contracts.views import NotificationDocument, whole_seconds
from read_api.query_bus.paging import Listed, ListQuery, Part, Place, page_of, part_of
from read_api.query_bus.query import Found, NotFoundError, author_not_found
from read_api.query_bus.read_your_writes import Waiter


class Notifications(ListQuery, frozen=True, kw_only=True):
    """What was an author told?"""

    author_id: str


class Notification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that an author was told: `author_id` is whose doing it is, `cheep_id` the answer; each is left out
    where it is about none.
    """

    notification_id: str
    kind: Literal["welcome", "new_follower", "answer"]
    at: str
    author_id: str | None = None
    cheep_id: str | None = None


class NotificationList(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, the newest first."""

    notifications: list[Notification]


class NotificationsOfAuthors(Protocol):
    """The view of notifications."""

    async def of_author(self, author_id: str, part: Part, *, after: str | None) -> Listed[NotificationDocument]:
        """What the author was told, the newest first; no list where there is no such author. Raises StoreAwayError."""


class ListNotifications:
    """Answers Notifications."""

    def __init__(self, notifications: NotificationsOfAuthors, waiter: Waiter) -> None:
        self._notifications = notifications
        self.waiter = waiter

    async def look(self, query: Notifications) -> Found[NotificationList]:
        """A page of the notifications now."""
        listed = await self._notifications.of_author(query.author_id, part_of(query), after=query.after)
        return page_of(query, listed, _place, _shown)

    def missing(self, query: Notifications) -> NotFoundError:
        """No such author."""
        return author_not_found(query.author_id)


def _place(document: NotificationDocument) -> Place:
    return document.at, document.notification_id


def _shown(documents: list[NotificationDocument]) -> NotificationList:
    return NotificationList(
        notifications=[
            Notification(
                notification_id=document.notification_id,
                kind=document.kind,
                at=whole_seconds(document.at),
                author_id=document.from_author_id,
                cheep_id=document.cheep_id,
            )
            for document in documents
        ]
    )
