"""The subjects of queries, and the shape of cheeps in responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from cheeper_contracts.views import CheepDocument, CheepRecord, whole_seconds
from read_api.query_bus.paging import Position
from read_api.query_bus.query import Subject

AUTHOR: Final = Subject("Author", "author_id")
CHEEP: Final = Subject("Cheep", "cheep_id")


class CheepList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of cheeps."""

    cheeps: list[CheepRecord]


def as_record(document: CheepDocument) -> CheepRecord:
    """Return a cheep as responses show it."""
    return CheepRecord(
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
    return CheepList(cheeps=[as_record(document) for document in documents])


def position_of_cheep(document: CheepDocument) -> Position:
    """Return a cheep's position in a list."""
    return document.cheep_date, document.cheep_id
