"""GET /author/{author_id}/timeline, from Redis.

Above its floor a timeline's list is complete, and a page of it takes one round trip. Below the floor the page is merged
from the followed authors' own lists, some authors per step. Each step is bounded, so a reader who follows many authors
does not block the others. A position in the timeline is a value (the entry before it), so lists may grow, shrink and be
trimmed between two pages, and between two steps of one page.
"""

from __future__ import annotations

from itertools import chain
from typing import Final, Protocol

import msgspec

from read_api.queries.shapes import shown_record
from read_api.query_bus.paging import ListQuery, decode_cursor, encode_cursor
from read_api.query_bus.query import Result

OFFSET_MAX: Final = 799
MERGE_LIMIT: Final = 200
"""The most entries that are merged at a time; more would make a step of the merge long."""


class Timeline(ListQuery, frozen=True, kw_only=True):
    """The cheeps of the authors whom an author follows, newest first; with `own`, the author's own ones among them.
    `offset` counts from the cursor, if any.
    """

    owner = "author_id"

    author_id: str
    offset: int = 0
    own: bool = False


class RawTimelineCheeps(msgspec.Struct, frozen=True, kw_only=True):
    """A CheepList as JSON, made of the records as they are stored."""

    cheeps: list[msgspec.Raw]


class TimelineCheep(msgspec.Struct, frozen=True):
    """A cheep's packed entry and its record, which is empty if the cheep is deleted."""

    entry: bytes
    record: bytes


class TimelinePart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a timeline's list: its cheeps that are not deleted, the number of such cheeps that were skipped before
    them, and the entry `below` which the merge continues, or None if the timeline has ended.
    """

    cheeps: list[TimelineCheep]
    skipped: int
    below: bytes | None
    settled: bool


class Timelines(Protocol):
    """The view of timelines. All methods raise StoreUnavailableError."""

    async def part(
        self, author_id: str, *, before: bytes | None, skip: int, limit: int, after: str | None
    ) -> TimelinePart:
        """Return at most `limit` cheeps of the timeline's list, older than `before`, without the first `skip`."""

    async def merged(self, author_id: str, *, below: bytes, limit: int) -> list[TimelineCheep]:
        """Return the newest entries less than `below` of the followed authors, newest first, at most `limit`, which is
        MERGE_LIMIT at most. A deleted cheep has no record.
        """

    async def own(self, author_id: str, *, before: bytes | None, limit: int) -> list[TimelineCheep]:
        """Return the newest of the author's own cheeps that are older than `before`, newest first, at most `limit`. A
        deleted cheep has no record.
        """


async def show_timeline(query: Timeline, timelines: Timelines) -> Result[RawTimelineCheeps]:
    """Return a page of the timeline. One cheep more than the page is read, to know of another page."""
    find = _with_own if query.own else _of_others
    cheeps, settled, costly = await find(query, timelines)
    page = cheeps[: query.size]
    return Result(
        data=RawTimelineCheeps(cheeps=[msgspec.Raw(shown_record(cheep.entry, cheep.record)) for cheep in page]),
        settled=settled,
        next_cursor=encode_cursor(query, page[-1].entry) if len(cheeps) > query.size else None,
        costly=costly,
    )


async def _of_others(query: Timeline, timelines: Timelines) -> tuple[list[TimelineCheep], bool, bool]:
    """Return the cheeps of the followed authors, whether they are settled, and whether they were merged."""
    limit = query.size + 1
    part = await timelines.part(
        query.author_id, before=decode_cursor(query), skip=query.offset, limit=limit, after=query.after
    )
    cheeps = part.cheeps
    below = part.below if len(cheeps) < limit else None
    if below is not None:
        cheeps += await _merge(timelines, query.author_id, below, query.offset - part.skipped, limit - len(cheeps))
    return cheeps, part.settled, below is not None


async def _with_own(query: Timeline, timelines: Timelines) -> tuple[list[TimelineCheep], bool, bool]:
    """Return the same with the author's own cheeps. They are read after the list, so they are as settled as that.

    What is skipped may be of either, so as many as that are read of both. Below the floor the list is merged only if
    the cheeps above it do not fill the page.
    """
    before, limit = decode_cursor(query), query.offset + query.size + 1
    part = await timelines.part(query.author_id, before=before, skip=0, limit=limit, after=query.after)
    own = await _own(timelines, query.author_id, before, limit)
    cheeps = part.cheeps
    below = part.below if len(cheeps) < limit else None
    if below is not None:
        certain = len(cheeps) + sum(cheep.entry >= below for cheep in own)
        if certain < limit:
            cheeps += await _merge(timelines, query.author_id, below, 0, limit - certain)
        else:
            below = None
    return _newest(cheeps, own)[query.offset : limit], part.settled, below is not None


async def newest_part(query: Timeline, timelines: Timelines, limit: int) -> TimelinePart:
    """Return the newest cheeps of the timeline's list, at most `limit`, with the author's own ones above its floor if
    the query is for these too.
    """
    part = await timelines.part(query.author_id, before=None, skip=0, limit=limit, after=None)
    if not query.own:
        return part
    own = await _own(timelines, query.author_id, None, limit)
    above = [cheep for cheep in own if part.below is None or cheep.entry >= part.below]
    cheeps = _newest(part.cheeps, above)[:limit]
    return msgspec.structs.replace(part, cheeps=cheeps, below=part.below if len(cheeps) < limit else None)


def _newest(*lists: list[TimelineCheep]) -> list[TimelineCheep]:
    return sorted(chain(*lists), key=lambda cheep: cheep.entry, reverse=True)


async def _own(timelines: Timelines, author_id: str, before: bytes | None, limit: int) -> list[TimelineCheep]:
    """Return at most `limit` of the author's own cheeps that are not deleted."""
    cheeps: list[TimelineCheep] = []
    while len(cheeps) < limit:
        requested = limit - len(cheeps)
        found = await timelines.own(author_id, before=before, limit=requested)
        cheeps += (cheep for cheep in found if cheep.record)
        if len(found) < requested:
            break
        before = found[-1].entry
    return cheeps


async def _merge(timelines: Timelines, author_id: str, below: bytes, skip: int, limit: int) -> list[TimelineCheep]:
    """Return at most `limit` cheeps below the floor, without the first `skip`."""
    cheeps: list[TimelineCheep] = []
    while len(cheeps) < limit:
        requested = min(skip + limit - len(cheeps), MERGE_LIMIT)
        found = await timelines.merged(author_id, below=below, limit=requested)
        alive = [cheep for cheep in found if cheep.record]
        cheeps += alive[skip:]
        skip = max(skip - len(alive), 0)
        if len(found) < requested:
            break
        below = found[-1].entry
    return cheeps
