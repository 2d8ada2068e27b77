"""The newest entries of a list as the client of a stream has them, and the events that bring both up to date: cheeps of
a timeline, or notifications.

A window holds what lies above its `bottom`: at most WINDOW cheeps. The id of an event stands for the window after it:
the list's cursor of the newest cheep, the number of cheeps, and the exclusive or of their digests. Whether something
besides new cheeps changed while a client was disconnected shows when its last id is compared with the timeline as it is
now. Nothing has to be kept for it, and any process can do it.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, reduce
from hashlib import blake2b
from operator import xor
from typing import Final, Literal, NamedTuple

import msgspec

from cheeper_contracts.views import ENTRY_BYTES, unpack_entry
from read_api.queries.notifications import Notifications
from read_api.queries.shapes import shown_record
from read_api.queries.timeline import Timeline, TimelineCheep, TimelinePart
from read_api.query_bus.paging import CURSOR_PATTERN, ListQuery, decode_cursor, encode_cursor

WINDOW: Final = 100
"""The most cheeps whose changes a stream reports."""
READ: Final = 2 * WINDOW + 1
"""The cheeps that are read to resume a stream: as many new ones as a window holds, those that it held, and one more."""
POSITION_PATTERN: Final = CURSOR_PATTERN.replace("{40}", "{40}([A-Za-z0-9_-]{12})?")
"""A cursor of the list, or the id of an event, which begins with one."""
_CURSOR: Final = 40
_DIGEST_BYTES: Final = 8
_COMPLETE: Final = 0x80
_NOTHING: Final = bytes(ENTRY_BYTES)
"""The bottom of a window that holds the whole timeline."""

EventName = Literal["cheep", "notification", "edited", "deleted", "followed", "unfollowed", "refresh"]


class StreamEvent(NamedTuple):
    """An event: its name, its JSON, and its id, from which a stream can be resumed."""

    name: EventName
    data: bytes
    id: str


class Position(msgspec.Struct, frozen=True):
    """The state of a client: the newest entry that it has, and the number of its cheeps with their digest, if known."""

    entry: bytes
    number: int = 0
    digest: int | None = None
    complete: bool = False


class _Known(NamedTuple):
    digest: int
    author_id: str


class _Author(msgspec.Struct):
    author_id: str = ""  # a notification may have none


class _Form(NamedTuple):
    """The event of an entry that is new in a list, and what it shows of the entry and its record."""

    name: EventName
    shown: Callable[[bytes, bytes], bytes]


_FORMS: Final[Mapping[type[ListQuery], _Form]] = {
    Timeline: _Form("cheep", shown_record),
    Notifications: _Form("notification", lambda _, record: record),
}
"""The lists that can be streamed, by their queries."""


def position_of(query: ListQuery, text: str | None) -> Position | None:
    """Return the position of a text that matches POSITION_PATTERN, or None without one. Raise ForeignCursorError."""
    if text is None:
        return None
    entry = decode_cursor(msgspec.structs.replace(query, cursor=text[:_CURSOR])) or _NOTHING
    if len(text) == _CURSOR:
        return Position(entry)
    held = urlsafe_b64decode(text[_CURSOR:])
    return Position(entry, held[0] & ~_COMPLETE, int.from_bytes(held[1:]), complete=bool(held[0] & _COMPLETE))


class Window:
    """The newest cheeps of the timeline of `query`, newest first at the beginning; all above `bottom`."""

    def __init__(
        self, query: ListQuery, cheeps: Sequence[TimelineCheep], bottom: bytes, *, certain: bool = True
    ) -> None:
        self._query = query
        self._form = _FORMS[type(query)]
        self._known = {cheep.entry: _known(cheep.entry, cheep.record) for cheep in cheeps}
        self._order = sorted(self._known)
        self._bottom = bottom
        self._digest = reduce(xor, (known.digest for known in self._known.values()), 0)
        self._certain = certain
        self._cut()

    @classmethod
    def of(cls, query: ListQuery, part: TimelinePart) -> Window:
        """Return the window of a timeline whose first READ cheeps have been read."""
        return cls(query, part.cheeps[:WINDOW], _bottom(part.cheeps[:WINDOW], part))

    def shows(self, entry: bytes) -> bool:
        """Return True if the window holds the cheep."""
        return entry in self._known

    def added(self, entry: bytes, record: bytes) -> list[StreamEvent]:
        """Take a cheep that is new in the timeline. One that is not the newest has the id of the next newer one."""
        if entry in self._known or entry <= self._bottom:
            return []
        place = bisect_left(self._order, entry)
        below = self._order[place] if place < len(self._order) else None
        self._put(entry, _known(entry, record))
        self._cut()
        record = self._form.shown(entry, record)
        if below is not None:
            record = record[:-1] + b',"below":"%s"}' % _cheep_id(below).encode()
        return [self._event(self._form.name, record)]

    def changed(self, entry: bytes, record: bytes) -> list[StreamEvent]:
        """Take a cheep's new record, or that it is deleted if the record is empty."""
        before = self._known.get(entry)
        if before is None:
            return []
        if not record:
            self._remove(entry)
            return [self._event("deleted", b'{"cheep_id":"%s"}' % _cheep_id(entry).encode())]
        now = _known(entry, record)
        if now == before:
            return []
        self._digest ^= before.digest ^ now.digest
        self._known[entry] = now
        return [self._event("edited", shown_record(entry, record))]

    def unfollowed(self, author_id: str) -> list[StreamEvent]:
        """Take that the author's cheeps are out of the timeline."""
        for entry in [entry for entry, known in self._known.items() if known.author_id == author_id]:
            self._remove(entry)
        return [self._event("unfollowed", _author(author_id))]

    def followed(self, author_id: str) -> StreamEvent:
        """Return the event for a follow, after which the timeline is read: it may have cheeps of any age more."""
        self._certain = False
        return self._event("followed", _author(author_id))

    def refresh(self) -> StreamEvent:
        """Return the event after which the client reads the timeline, and has what the window holds."""
        self._certain = True
        return self._event("refresh", b"{}")

    def _event(self, name: EventName, data: bytes) -> StreamEvent:
        return StreamEvent(name, data, self.id)

    @property
    def id(self) -> str:
        """The id of the window. After a follow it is only the list's cursor until the next refresh."""
        cursor = encode_cursor(self._query, self._order[-1] if self._order else self._bottom)
        if not self._certain:
            return cursor
        number = len(self._order) | (_COMPLETE if self._bottom == _NOTHING else 0)
        return cursor + urlsafe_b64encode(bytes((number,)) + self._digest.to_bytes(_DIGEST_BYTES)).decode()

    def _put(self, entry: bytes, known: _Known) -> None:
        self._known[entry] = known
        insort(self._order, entry)
        self._digest ^= known.digest

    def _remove(self, entry: bytes) -> None:
        self._digest ^= self._known.pop(entry).digest
        self._order.remove(entry)

    def _cut(self) -> None:
        while len(self._order) > WINDOW:
            self._bottom = self._order[0]
            self._remove(self._bottom)


def resumed(query: ListQuery, position: Position, part: TimelinePart) -> tuple[Window, list[StreamEvent]]:
    """Return the window of a timeline whose first READ cheeps have been read, and the events since the position.

    These are the cheeps that are newer, and a refresh if anything else has changed, or if there are too many.
    """
    newer = [cheep for cheep in part.cheeps if cheep.entry > position.entry]
    older = part.cheeps[len(newer) :]
    reaches = part.below is None or _before(part.below) <= position.entry
    if len(newer) > WINDOW or not (older or reaches):
        window = Window.of(query, part)
        return window, [window.refresh()]
    held = older[: position.number]
    certain = _digest_of(held) == position.digest and len(held) == position.number
    if position.complete:
        certain = certain and len(held) == len(older) and part.below is None
    base = held if certain else older[:WINDOW]
    bottom = _bottom(base, part)
    if certain and not position.complete:
        bottom = _before(base[-1].entry) if base else position.entry
    window = Window(query, base, bottom, certain=certain)
    events = [event for cheep in reversed(newer) for event in window.added(cheep.entry, cheep.record)]
    return window, events if certain else [*events, window.refresh()]


def _bottom(cheeps: Sequence[TimelineCheep], part: TimelinePart) -> bytes:
    """Return the bottom of a window of the last cheeps before which a part of the timeline was read."""
    if part.below is None and part.cheeps[-1:] == cheeps[-1:] and len(part.cheeps) < READ:
        return _NOTHING
    if cheeps:
        return _before(cheeps[-1].entry)
    return _NOTHING if part.below is None else _before(part.below)


def _before(entry: bytes) -> bytes:
    """Return the greatest value that is less than an entry."""
    return (int.from_bytes(entry) - 1).to_bytes(ENTRY_BYTES)


@lru_cache(maxsize=4_096)
def _known(entry: bytes, record: bytes) -> _Known:
    """Return what a window keeps of a cheep. Many windows show the same one, and share it."""
    digest = int.from_bytes(blake2b(entry + record, digest_size=_DIGEST_BYTES).digest())
    return _Known(digest, msgspec.json.decode(record, type=_Author).author_id)


def _digest_of(cheeps: Iterable[TimelineCheep]) -> int:
    return reduce(xor, (_known(cheep.entry, cheep.record).digest for cheep in cheeps), 0)


def _cheep_id(entry: bytes) -> str:
    return unpack_entry(entry)[1]


def _author(author_id: str) -> bytes:
    return msgspec.json.encode(_Author(author_id))
