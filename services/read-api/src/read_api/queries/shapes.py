"""How stored values look in answers."""

from __future__ import annotations

from datetime import UTC, datetime

from cheeper_contracts.views import CheepDocument, CheepRecord


def as_text(microseconds: int) -> str:
    """A time as answers have it: whole seconds, UTC, such as `2022-03-14T21:08:50+00:00`."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).isoformat()


def as_record(document: CheepDocument) -> CheepRecord:
    """A cheep as lists show it."""
    return CheepRecord(
        cheep_id=document.cheep_id,
        cheep_date=as_text(document.cheep_date),
        cheep_message=document.message,
        author_id=document.author_id,
        author_username=document.author_username,
        in_reply_to=document.in_reply_to,
        edited_at=None if document.edited_at is None else as_text(document.edited_at),
    )
