"""MongoDB: the cheeps. All events of a cheep are in its author's stream, so each may contain all of it."""

from __future__ import annotations

from cheeper_contracts import views
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.words import words_of
from projector.projections.meta import Meta
from projector.projections.writes import Replace, SetFields


def cheep_posted(event: CheepPosted, _meta: Meta) -> tuple[SetFields]:
    """Write the whole cheep."""
    return _cheep(event, in_reply_to=None, edited_at=None)


def cheep_answered(event: CheepAnswered, _meta: Meta) -> tuple[SetFields]:
    """Write the whole cheep, and what it answers."""
    return _cheep(event, in_reply_to=event.in_reply_to, edited_at=None)


def cheep_updated(event: CheepUpdated, _meta: Meta) -> tuple[SetFields]:
    """Write the whole cheep with its new text."""
    return _cheep(event, in_reply_to=event.in_reply_to, edited_at=event.edited_at)


def cheep_deleted(event: CheepDeleted, _meta: Meta) -> tuple[Replace]:
    """Leave only the time of the deletion."""
    return (Replace(views.CHEEPS.name, event.cheep_id, {"deleted_at": event.deleted_at}),)


def _cheep(
    event: CheepPosted | CheepAnswered | CheepUpdated, *, in_reply_to: str | None, edited_at: int | None
) -> tuple[SetFields]:
    fields = {
        "author_id": event.author_id,
        "author_username": event.author_username,
        "message": event.message,
        "words": words_of(event.message),
        "cheep_date": event.cheep_date,
        "in_reply_to": in_reply_to,
        "edited_at": edited_at,
    }
    return (SetFields(views.CHEEPS.name, event.cheep_id, fields),)
