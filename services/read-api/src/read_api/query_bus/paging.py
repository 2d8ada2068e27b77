"""What the lists share that are walked by cursor: the question, the part of the list that a view gives, and the page.

An entry's place is its time and the id that breaks ties, so a cursor stays right while others write: nothing that comes
or goes before it moves what comes after it. A view gives one entry more than the page has, which tells whether there is
another page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from cheeper_contracts.views import pack_entry, unpack_entry
from read_api.query_bus.cursor import decode_cursor, encode_cursor
from read_api.query_bus.query import Data, Found, Query

PAGE_SIZE = 10
PAGE_SIZE_MAX = 100

Entry = TypeVar("Entry")

Place = tuple[int, str]
"""A time in microseconds and an id."""


class ListQuery(Query, frozen=True, kw_only=True):
    """A question for a page of a list: at most `size` entries, those after the page that gave `cursor`."""

    size: int = PAGE_SIZE
    cursor: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list a view is to give: at most `most` entries in the list's order, from its beginning or from
    just behind the place `beyond`, where there need not be an entry.
    """

    beyond: Place | None
    most: int


class Listed(msgspec.Struct, Generic[Entry], frozen=True, kw_only=True):
    """What a view gives: a part of a list, none where there is nobody and nothing whose list it is, and whether `after`
    is settled in it.
    """

    entries: list[Entry] | None
    settled: bool


def part_of(query: ListQuery) -> Part:
    """What to ask the view for."""
    beyond = None if query.cursor is None else unpack_entry(decode_cursor(query.cursor))
    return Part(beyond=beyond, most=query.size + 1)


def page_of(
    query: ListQuery, listed: Listed[Entry], place: Callable[[Entry], Place], data: Callable[[list[Entry]], Data]
) -> Found[Data]:
    """The page as `data` shows its entries, with a cursor where the list goes on."""
    if listed.entries is None:
        return Found(data=None, settled=listed.settled)
    page = listed.entries[: query.size]
    goes_on = len(listed.entries) > query.size
    return Found(
        data=data(page),
        settled=listed.settled,
        next_cursor=encode_cursor(pack_entry(*place(page[-1]))) if goes_on else None,
    )
