"""One client's stream of one timeline: from messages of the projector to events that wait to be sent."""

from __future__ import annotations

from cheeper_contracts.views.streams import CHEEP, FOLLOWED, OWN, RECORD, REFRESH, UNFOLLOWED
from read_api.queries.timeline import Timeline, Timelines, newest_part
from read_api.streams.stream import KEEP_ALIVE_SECONDS, Message, Stream
from read_api.streams.window import READ, Position, Window, resumed


class TimelineStream(Stream):
    """The events of a timeline for one client, those since `position` first.

    Messages that come before the timeline has been read wait, and are handled after it. A message is then ignored if
    its effect is already in what was read.
    """

    def __init__(
        self,
        query: Timeline,
        position: Position | None,
        timelines: Timelines,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        super().__init__(keep_alive_seconds)
        self._query = query
        self._position = position
        self._timelines = timelines
        self._window: Window | None = None  # None until the timeline has been read
        self._waiting: list[Message] = []

    @property
    def is_behind(self) -> bool:
        """Implement Stream."""
        return self._window is None

    async def read(self) -> None:
        """Read the timeline, and take the messages that wait. Raise StoreUnavailableError."""
        part = await newest_part(self._query, self._timelines, READ)
        if self._position is None:
            window = self._window = Window.of(self._query, part)
            self._pending.append(window.refresh())
        else:
            self._window, events = resumed(self._query, self._position, part)
            self._pending += events
        waiting, self._waiting, self._position = self._waiting, [], None
        for message in waiting:
            self.receive(message)

    def _take(self, message: Message) -> int:
        if self._window is None:
            self._waiting.append(message)
            return len(self._waiting)
        if message.kind == RECORD and not self._window.shows(message.subject):
            return 0
        self._apply(self._window, message)
        self._changed.set()
        return len(self._pending)

    def _apply(self, window: Window, message: Message) -> None:
        match message.kind:
            case k if k == CHEEP or (k == OWN and self._query.own):
                self._pending += window.added(message.subject, message.record)
            case k if k == RECORD:
                self._pending += window.changed(message.subject, message.record)
            case k if k == UNFOLLOWED:
                self._pending += window.unfollowed(message.subject.decode())
            case k if k == FOLLOWED:
                self._pending.append(window.followed(message.subject.decode()))
                self._window = None
            case k if k == REFRESH:
                self._window = None
