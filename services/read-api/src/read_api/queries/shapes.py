"""The subjects of queries, and the shape of cheeps in responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from cheeper_contracts.views import CheepDocument, CheepRecord, date_of, whole_microseconds, whole_seconds
from read_api.query_bus.paging import Position
from read_api.query_bus.query import Subject

AUTHOR: Final = Subject("Author", "author_id")
CHEEP: Final = Subject("Cheep", "cheep_id")


class ShownCheep(CheepRecord, frozen=True, kw_only=True):
    """A cheep as responses show it. `posted_at` is `cheep_date` with its microseconds, by which lists are ordered."""

    posted_at: str


class CheepList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of cheeps."""

    cheeps: list[ShownCheep]


def shown_record(entry: bytes, record: bytes) -> bytes:
    """Return a ShownCheep as JSON, of a cheep's packed entry and its record as JSON, which is not decoded."""
    return b'{"posted_at":"%b",%b' % (whole_microseconds(date_of(entry)).encode(), record[1:])


def as_shown(document: CheepDocument) -> ShownCheep:
    """Return a cheep as responses show it."""
    return ShownCheep(
        posted_at=whole_microseconds(document.cheep_date),
        cheep_id=document.cheep_id,
        cheep_date=whole_seconds(document.cheep_date),
        cheep_message=document.message,
        author_id=document.author_id,
        author_username=document.author_username,
        in_reply_to=document.in_reply_to,
        edited_at=None if document.edited_at is None else whole_seconds(document.edited_at),
    )


def as_cheep_list(documents: Sequence[CheepDocument]) -> CheepList:
    """Return a page of cheeps as responses show it."""
    return CheepList(cheeps=[as_shown(document) for document in documents])


def position_of_cheep(document: CheepDocument) -> Position:
    """Return a cheep's position in a list."""
    return document.cheep_date, document.cheep_id
