"""Redis: the list of all of an author's cheeps, newest first, and their count."""

from __future__ import annotations

from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.views import pack_entry
from projector.projections.meta import Meta
from projector.projections.writes import AddOwnCheep, RemoveOwnCheep


def cheep_posted(event: CheepPosted | CheepAnswered, _meta: Meta) -> tuple[AddOwnCheep]:
    """Add the new cheep to its author's list; an answer is one too."""
    return (AddOwnCheep(event.author_id, pack_entry(event.cheep_date, event.cheep_id).hex(), "cheeps"),)


def cheep_deleted(event: CheepDeleted, _meta: Meta) -> tuple[RemoveOwnCheep]:
    """Remove the cheep from its author's list."""
    return (RemoveOwnCheep(event.author_id, pack_entry(event.cheep_date, event.cheep_id).hex(), "cheeps"),)
