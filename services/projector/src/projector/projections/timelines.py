"""Redis: the timelines. A cheep is added to its author's followers' timelines, and a deleted one removed from them; a
follow adds the followed author's cheeps, and an unfollow removes them.
"""

from __future__ import annotations

from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.views import pack_entry
from projector.projections.meta import Meta
from projector.projections.writes import FanOut, PullIn, TakeOut


def cheep_posted(event: CheepPosted | CheepAnswered, meta: Meta) -> tuple[FanOut]:
    """Add the cheep to the timelines of the followers."""
    return (FanOut(event.author_id, pack_entry(event.cheep_date, event.cheep_id).hex(), meta.correlation_id, "insert"),)


def cheep_deleted(event: CheepDeleted, meta: Meta) -> tuple[FanOut]:
    """Remove the cheep from the timelines of the followers."""
    return (FanOut(event.author_id, pack_entry(event.cheep_date, event.cheep_id).hex(), meta.correlation_id, "remove"),)


def author_followed(event: AuthorFollowed, _meta: Meta) -> tuple[PullIn]:
    """Add the followed author's cheeps to the follower's timeline."""
    return (PullIn(event.from_author_id, event.to_author_id),)


def author_unfollowed(event: AuthorUnfollowed, _meta: Meta) -> tuple[TakeOut]:
    """Remove the author's cheeps from the reader's timeline."""
    return (TakeOut(event.from_author_id, event.to_author_id),)
