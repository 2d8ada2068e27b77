"""One client's stream of one author's notifications.

The projector's messages say that the list has changed, and come when Redis has the change. MongoDB, which has the list,
may have it a moment later. So a stream waits until MongoDB is as far as Redis is, reads the newest notifications, and
sends what is new: the same comparison that resumes a stream.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from cheeper_contracts.views import pack_entry
from cheeper_contracts.views.streams import NOTIFICATIONS, REFRESH
from read_api.queries.notifications import Notifications, NotificationsOfAuthors, shown
from read_api.queries.timeline import TimelineCheep, TimelinePart
from read_api.query_bus.paging import Slice
from read_api.streams.stream import KEEP_ALIVE_SECONDS, Message, Stream
from read_api.streams.window import READ, Position, Window, position_of, resumed

CatchUp = Callable[[], Awaitable[None]]
"""Returns once the list has all that was reported before. Raises StoreUnavailableError."""


class NotificationStream(Stream):
    """The events of an author's notifications for one client, those since `position` first."""

    def __init__(
        self,
        query: Notifications,
        position: Position | None,
        notifications: NotificationsOfAuthors,
        catch_up: CatchUp,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        super().__init__(keep_alive_seconds)
        self._query = query
        self._position = position
        self._notifications = notifications
        self._catch_up = catch_up
        self._has_changed = False

    @property
    def is_behind(self) -> bool:
        """Implement Stream."""
        return self._has_changed

    async def read(self) -> None:
        """Read the newest notifications. Raise StoreUnavailableError."""
        self._has_changed = False
        await self._catch_up()
        part = await self._part()
        if self._position is None:
            window = Window.of(self._query, part)
            self._pending.append(window.refresh())
        else:
            window, events = resumed(self._query, self._position, part)
            self._pending += events
        self._position = position_of(self._query, window.id)

    def _take(self, message: Message) -> int:
        if message.kind in {NOTIFICATIONS, REFRESH}:
            self._has_changed = True
            self._changed.set()
        return len(self._pending)

    async def _part(self) -> TimelinePart:
        """Return the newest notifications; none of an author who is not known yet."""
        newest = Slice(beyond=None, limit=READ)
        found = await self._notifications.of_author(self._query.author_id, newest, after=None)
        entries = [
            TimelineCheep(pack_entry(each.at, each.notification_id), msgspec.json.encode(shown(each)))
            for each in found.data or []
        ]
        return TimelinePart(cheeps=entries, skipped=0, below=None, settled=True)
