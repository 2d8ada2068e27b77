"""Redis: the timelines. A cheep goes out to its author's followers; a follow brings the followed author's cheeps in."""

from __future__ import annotations

from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.views import pack_entry
from projector.meta import Meta
from projector.writes import FanOut, PullIn


def cheep_posted(event: CheepPosted, meta: Meta) -> tuple[FanOut]:
    """Out to the followers."""
    return (FanOut(event.author_id, pack_entry(event.cheep_date, event.cheep_id).hex(), meta.correlation_id),)


def author_followed(event: AuthorFollowed, _meta: Meta) -> tuple[PullIn]:
    """Into the follower's timeline."""
    return (PullIn(event.from_author_id, event.to_author_id),)
