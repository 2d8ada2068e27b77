"""Redis: an author's username, which makes the author exist for readers of counters."""

from __future__ import annotations

from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from projector.projections.meta import Meta
from projector.projections.writes import SetField


def new_author_signed(event: NewAuthorSigned, _meta: Meta) -> tuple[SetField]:
    """Write the name of a new author."""
    return (SetField(event.author_id, "username", event.username),)
