"""GET /author/{author_id}/timeline, from Redis.

Above its floor a timeline's list is complete: a page comes from it in one round trip. Below, the page is merged from
the followed authors' own lists, some authors a step; each step is bounded, so nobody else waits for a reader who
follows many. A page's place is a value (the entry before it), so lists may grow, shrink and be trimmed between two
pages, and between two steps of one page.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from read_api.query_bus.cursor import decode_cursor, encode_cursor
from read_api.query_bus.paging import ListQuery
from read_api.query_bus.query import Found, NotFoundError, author_not_found
from read_api.query_bus.read_your_writes import Waiter

OFFSET_MAX = 799
ENTRIES_A_ROUND = 200
"""How many entries are merged at a time; more would make a step of the merge long."""


class Timeline(ListQuery, frozen=True, kw_only=True):
    """What have those posted whom an author follows? `offset` counts from the cursor where there is one."""

    author_id: str
    offset: int = 0


class RawTimelineCheeps(msgspec.Struct, frozen=True, kw_only=True):
    """A CheepList with the records as they are stored, the JSON of a CheepRecord each."""

    cheeps: list[msgspec.Raw]


class Place(msgspec.Struct, frozen=True):
    """A cheep's entry and its record, empty where the cheep is deleted."""

    entry: bytes
    record: bytes


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """What a timeline's list gave: places of cheeps that live, how many of those before them were skipped, and where
    the merge takes over: entries less than `below`, none where the timeline has ended.
    """

    places: list[Place]
    skipped: int
    below: bytes | None
    settled: bool


class Timelines(Protocol):
    """The view of timelines. All raise StoreAwayError."""

    async def stretch(
        self, author_id: str, *, before: bytes | None, skip: int, want: int, after: str | None
    ) -> Stretch:
        """At most `want` cheeps of the timeline's list, older than `before`, without the first `skip`."""

    async def merged(self, author_id: str, *, below: bytes, want: int) -> list[Place]:
        """The newest `want` entries less than `below` by the followed authors, newest first, at most ENTRIES_A_ROUND;
        with no record where a cheep is deleted.
        """


class ShowTimeline:
    """Answers Timeline."""

    def __init__(self, timelines: Timelines, waiter: Waiter) -> None:
        self._timelines = timelines
        self.waiter = waiter

    async def look(self, query: Timeline) -> Found[RawTimelineCheeps]:
        """A page of the timeline now. One cheep more than the page tells whether there is another."""
        want = query.size + 1
        before = None if query.cursor is None else decode_cursor(query.cursor)
        stretch = await self._timelines.stretch(
            query.author_id, before=before, skip=query.offset, want=want, after=query.after
        )
        places = stretch.places
        if len(places) < want and stretch.below is not None:
            places += await self._below(
                query.author_id, stretch.below, query.offset - stretch.skipped, want - len(places)
            )
        page = places[: query.size]
        return Found(
            data=RawTimelineCheeps(cheeps=[msgspec.Raw(place.record) for place in page]),
            settled=stretch.settled,
            next_cursor=encode_cursor(page[-1].entry) if len(places) > query.size else None,
        )

    def missing(self, query: Timeline) -> NotFoundError:
        """Never so: a timeline of nobody is empty."""
        return author_not_found(query.author_id)

    async def _below(self, author_id: str, below: bytes, skip: int, want: int) -> list[Place]:
        places: list[Place] = []
        while len(places) < want:
            asked = min(skip + want - len(places), ENTRIES_A_ROUND)
            found = await self._timelines.merged(author_id, below=below, want=asked)
            alive = [place for place in found if place.record]
            places += alive[skip:]
            skip = max(skip - len(alive), 0)
            if len(found) < asked:
                break
            below = found[-1].entry
        return places
