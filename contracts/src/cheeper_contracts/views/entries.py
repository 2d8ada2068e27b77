"""Packed entries: a cheep's place in a list of Redis, in 24 bytes.

An entry is the cheep's date in microseconds as a big-endian int64 and then the 16 bytes of its id, so that the order of
the bytes is the order of (cheep_date, cheep_id). entries.lua is the same for server-side functions.
"""

from __future__ import annotations

from struct import Struct
from typing import Final
from uuid import UUID

_ENTRY = Struct(">q16s")
_DATE = Struct(">q")
ENTRY_BYTES: Final = _ENTRY.size
TIMELINE_ENTRIES: Final = 800
"""The most entries of a timeline's list; below its floor a page is merged from the followed authors' own lists."""


def pack_entry(cheep_date: int, cheep_id: str) -> bytes:
    """Return the 24 bytes of a cheep's place; the date is in microseconds."""
    return _ENTRY.pack(cheep_date, UUID(cheep_id).bytes)


def unpack_entry(entry: bytes) -> tuple[int, str]:
    """Return the (cheep_date, cheep_id) of an entry. Raise struct.error if it is not 24 bytes long."""
    cheep_date, raw_id = _ENTRY.unpack(entry)
    return cheep_date, str(UUID(bytes=raw_id))


def date_of(entry: bytes) -> int:
    """Return the cheep_date of an entry, in microseconds."""
    date: int = _DATE.unpack_from(entry)[0]
    return date
