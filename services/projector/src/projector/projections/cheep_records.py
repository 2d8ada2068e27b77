"""Redis: a cheep as a page of a timeline shows it."""

from __future__ import annotations

import msgspec

from cheeper_contracts import views
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from projector.projections.meta import Meta
from projector.projections.writes import PutText, RemoveText


def cheep_posted(event: CheepPosted, _meta: Meta) -> tuple[PutText]:
    """Write the new cheep."""
    return (_record(event),)


def cheep_answered(event: CheepAnswered, _meta: Meta) -> tuple[PutText]:
    """Write the new cheep, with the one that it answers."""
    return (_record(event, in_reply_to=event.in_reply_to),)


def cheep_updated(event: CheepUpdated, _meta: Meta) -> tuple[PutText]:
    """Write the cheep as it is now. The lists hold its entry, so an edit is visible at once."""
    return (_record(event, in_reply_to=event.in_reply_to, edited_at=views.whole_seconds(event.edited_at)),)


def cheep_deleted(event: CheepDeleted, _meta: Meta) -> tuple[RemoveText]:
    """Delete the record: readers and tasks skip its entries from now on."""
    return (RemoveText(views.CHEEP_RECORD.name, event.cheep_id),)


def _record(
    event: CheepPosted | CheepAnswered | CheepUpdated, *, in_reply_to: str | None = None, edited_at: str | None = None
) -> PutText:
    """Return the cheep as JSON, with its empty fields."""
    record = views.CheepRecord(
        cheep_id=event.cheep_id,
        cheep_date=views.whole_seconds(event.cheep_date),
        cheep_message=event.message,
        author_id=event.author_id,
        author_username=event.author_username,
        in_reply_to=in_reply_to,
        edited_at=edited_at,
    )
    return PutText(views.CHEEP_RECORD.name, event.cheep_id, msgspec.json.encode(record).decode())
