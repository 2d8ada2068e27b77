"""Redis: the list of all of an author's cheeps, newest first, and their count."""

from __future__ import annotations

from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.views import pack_entry
from projector.meta import Meta
from projector.writes import AddOwnCheep


def cheep_posted(event: CheepPosted, _meta: Meta) -> tuple[AddOwnCheep]:
    """The new cheep in its author's list."""
    return (AddOwnCheep(event.author_id, pack_entry(event.cheep_date, event.cheep_id).hex(), "cheeps"),)
