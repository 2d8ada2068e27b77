"""Redis: a cheep as a page of a timeline shows it."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from cheeper_contracts import views
from cheeper_contracts.envelope import EPOCH
from cheeper_contracts.events.cheep_posted import CheepPosted
from projector.meta import Meta
from projector.writes import PutText


def cheep_posted(event: CheepPosted, _meta: Meta) -> tuple[PutText]:
    """The cheep as JSON, its empty fields too."""
    record = views.CheepRecord(
        cheep_id=event.cheep_id,
        cheep_date=whole_seconds(event.cheep_date),
        cheep_message=event.message,
        author_id=event.author_id,
        author_username=event.author_username,
    )
    return (PutText(views.CHEEP_RECORD.name, event.cheep_id, msgspec.json.encode(record).decode()),)


def whole_seconds(microseconds: int) -> str:
    """A time as the API shows it, such as `2022-03-14T21:08:50+00:00`."""
    return (EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="seconds")
