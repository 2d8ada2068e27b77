"""GET /author/{author_id}/timeline, from Redis.

Above its floor a timeline's list is complete, and a page of it takes one round trip. Below the floor the page is merged
from the followed authors' own lists, some authors per step. Each step is bounded, so a reader who follows many authors
does not block the others. A position in the timeline is a value (the entry before it), so lists may grow, shrink and be
trimmed between two pages, and between two steps of one page.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from read_api.query_bus.paging import ListQuery, decode_cursor, encode_cursor
from read_api.query_bus.query import Result

OFFSET_MAX: Final = 799
MERGE_LIMIT: Final = 200
"""The most entries that are merged at a time; more would make a step of the merge long."""


class Timeline(ListQuery, frozen=True, kw_only=True):
    """The cheeps of the authors whom an author follows, newest first. `offset` counts from the cursor, if any."""

    owner = "author_id"

    author_id: str
    offset: int = 0


class RawTimelineCheeps(msgspec.Struct, frozen=True, kw_only=True):
    """A CheepList with the records as they are stored, each the JSON of a CheepRecord."""

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


async def show_timeline(query: Timeline, timelines: Timelines) -> Result[RawTimelineCheeps]:
    """Return a page of the timeline. One cheep more than the page is read, to know of another page."""
    limit = query.size + 1
    part = await timelines.part(
        query.author_id, before=decode_cursor(query), skip=query.offset, limit=limit, after=query.after
    )
    cheeps = part.cheeps
    if len(cheeps) < limit and part.below is not None:
        cheeps += await _merge(timelines, query.author_id, part.below, query.offset - part.skipped, limit - len(cheeps))
    page = cheeps[: query.size]
    return Result(
        data=RawTimelineCheeps(cheeps=[msgspec.Raw(cheep.record) for cheep in page]),
        settled=part.settled,
        next_cursor=encode_cursor(query, page[-1].entry) if len(cheeps) > query.size else None,
    )


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
