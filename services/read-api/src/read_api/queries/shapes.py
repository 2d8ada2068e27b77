"""How stored values look in answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cheeper_contracts.views import CheepDocument, CheepRecord, whole_seconds
from read_api.query_bus.paging import Place


class CheepList(msgspec.Struct, frozen=True, kw_only=True):
    """A list of cheeps, as answers have it."""

    cheeps: list[CheepRecord]


def as_record(document: CheepDocument) -> CheepRecord:
    """A cheep as lists show it."""
    return CheepRecord(
        cheep_id=document.cheep_id,
        cheep_date=whole_seconds(document.cheep_date),
        cheep_message=document.message,
        author_id=document.author_id,
        author_username=document.author_username,
        in_reply_to=document.in_reply_to,
        edited_at=None if document.edited_at is None else whole_seconds(document.edited_at),
    )


def as_list(documents: Sequence[CheepDocument]) -> CheepList:
    """Cheeps as answers have them."""
    return CheepList(cheeps=[as_record(document) for document in documents])


def place_of_cheep(document: CheepDocument) -> Place:
    """A cheep's place in a list."""
    return document.cheep_date, document.cheep_id
