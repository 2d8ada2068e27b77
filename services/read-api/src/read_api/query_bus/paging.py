"""Lists that are read page by page, with a cursor.

The position of an entry is its time and the id that breaks ties. A cursor holds the position of the last entry of the
page before. It is a value and not a count, so it stays right while others write: what is inserted or deleted before it
does not move what follows it. It names its list and the list's owner too, since its position would be one of any other
list as well, and a client that mixes two cursors up would get a middle part of the wrong list.

A view returns one entry more than the page holds, which shows that another page exists.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2s
from typing import ClassVar, Final, TypeVar

import msgspec

from cheeper_contracts.views import pack_entry, unpack_entry
from read_api.query_bus.query import Data, ForeignCursorError, Query, Result

PAGE_SIZE: Final = 10
PAGE_SIZE_MAX: Final = 100
CURSOR_PATTERN: Final = "^[A-Za-z0-9_-]{40}$"
"""In base64url, the 6 bytes of a list and the 24 of a packed entry are 40 characters without padding, and any 40
characters are 30 bytes.
"""
_LIST_BYTES: Final = 6

Entry = TypeVar("Entry")

Position = tuple[int, str]
"""A time in microseconds and an id."""


class ListQuery(Query, frozen=True, kw_only=True):
    """A query for a page of a list: at most `size` entries, those after the page that returned `cursor`. `owner` is the
    field whose value distinguishes the list from others of its kind.
    """

    owner: ClassVar[str]

    size: int = PAGE_SIZE
    cursor: str | None = None


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a list that a view returns: at most `limit` entries in the list's order, from its beginning or from
    just behind the position `beyond`, at which there need not be an entry.
    """

    beyond: Position | None
    limit: int


def encode_cursor(query: ListQuery, entry: bytes) -> str:
    """Return the cursor of the page after a packed entry of the query's list."""
    return urlsafe_b64encode(_list_of(query) + entry).decode()


def decode_cursor(query: ListQuery) -> bytes | None:
    """Return the packed entry of the query's cursor, which matches CURSOR_PATTERN, or None without a cursor. Raise
    ForeignCursorError.
    """
    if query.cursor is None:
        return None
    decoded = urlsafe_b64decode(query.cursor)
    if decoded[:_LIST_BYTES] != _list_of(query):
        raise ForeignCursorError
    return decoded[_LIST_BYTES:]


def slice_of(query: ListQuery) -> Slice:
    """Return the slice to request from the view. Raise ForeignCursorError."""
    entry = decode_cursor(query)
    return Slice(beyond=None if entry is None else unpack_entry(entry), limit=query.size + 1)


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
        next_cursor=encode_cursor(query, pack_entry(*position_of(page[-1]))) if continues else None,
        total=found.total,
        unread=found.unread,
    )


def _list_of(query: ListQuery) -> bytes:
    """Return the bytes that stand for the query's list and its owner. They keep apart and protect nothing: a cursor
    gives access to nothing that the list itself does not show.
    """
    name = f"{type(query).__name__} {getattr(query, query.owner)}"
    return blake2s(name.encode(), digest_size=_LIST_BYTES).digest()
