"""MongoDB: the cheeps."""

from __future__ import annotations

from cheeper_contracts import views
from cheeper_contracts.events.cheep_posted import CheepPosted
from projector.meta import Meta
from projector.writes import SetFields


def cheep_posted(event: CheepPosted, _meta: Meta) -> tuple[SetFields]:
    """The whole cheep."""
    fields = {
        "author_id": event.author_id,
        "author_username": event.author_username,
        "message": event.message,
        "cheep_date": event.cheep_date,
        "in_reply_to": None,
        "edited_at": None,
    }
    return (SetFields(views.CHEEPS.name, event.cheep_id, fields),)
