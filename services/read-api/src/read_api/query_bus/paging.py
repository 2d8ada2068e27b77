"""Lists that are read page by page, with a cursor.

The position of an entry is its time and the id that breaks ties. A cursor holds the position of the last entry of the
page before. It is a value and not a count, so it stays right while others write: what is inserted or deleted before it
does not move what follows it. A view returns one entry more than the page holds, which shows that another page exists.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from cheeper_contracts.views import pack_entry, unpack_entry
from read_api.query_bus.query import Data, Query, Result

PAGE_SIZE: Final = 10
PAGE_SIZE_MAX: Final = 100
CURSOR_PATTERN: Final = "^[A-Za-z0-9_-]{32}$"
"""In base64url, 24 bytes of a packed entry are 32 characters without padding, and any 32 characters are 24 bytes."""

Entry = TypeVar("Entry")

Position = tuple[int, str]
"""A time in microseconds and an id."""


class ListQuery(Query, frozen=True, kw_only=True):
    """A query for a page of a list: at most `size` entries, those after the page that returned `cursor`."""

    size: int = PAGE_SIZE
    cursor: str | None = None


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a list that a view returns: at most `limit` entries in the list's order, from its beginning or from
    just behind the position `beyond`, at which there need not be an entry.
    """

    beyond: Position | None
    limit: int


def encode_cursor(entry: bytes) -> str:
    """Return the cursor of the page after a packed entry."""
    return urlsafe_b64encode(entry).decode()


def decode_cursor(cursor: str) -> bytes:
    """Return the packed entry of a cursor that matches CURSOR_PATTERN."""
    return urlsafe_b64decode(cursor)


def slice_of(query: ListQuery) -> Slice:
    """Return the slice to request from the view."""
    beyond = None if query.cursor is None else unpack_entry(decode_cursor(query.cursor))
    return Slice(beyond=beyond, limit=query.size + 1)


def page_of(
    query: ListQuery,
    found: Result[list[Entry]],
    position_of: Callable[[Entry], Position],
    convert: Callable[[list[Entry]], Data],
) -> Result[Data]:
    """Return the page of the entries that a view found, with a cursor if the list continues."""
    if found.data is None:
        return Result(data=None, settled=found.settled)
    page = found.data[: query.size]
    continues = len(found.data) > query.size
    return Result(
        data=convert(page),
        settled=found.settled,
        next_cursor=encode_cursor(pack_entry(*position_of(page[-1]))) if continues else None,
    )
