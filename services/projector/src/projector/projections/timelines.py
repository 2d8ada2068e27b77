"""Redis: the timelines. A cheep goes out to its author's followers, and a deleted one back out of their timelines; a
follow brings the followed author's cheeps in, and an unfollow takes them out.
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
    """Out to the followers."""
    return (FanOut(event.author_id, pack_entry(event.cheep_date, event.cheep_id).hex(), meta.correlation_id, "insert"),)


def cheep_deleted(event: CheepDeleted, meta: Meta) -> tuple[FanOut]:
    """Away from the followers."""
    return (FanOut(event.author_id, pack_entry(event.cheep_date, event.cheep_id).hex(), meta.correlation_id, "remove"),)


def author_followed(event: AuthorFollowed, _meta: Meta) -> tuple[PullIn]:
    """Into the follower's timeline."""
    return (PullIn(event.from_author_id, event.to_author_id),)


def author_unfollowed(event: AuthorUnfollowed, _meta: Meta) -> tuple[TakeOut]:
    """Out of the reader's timeline."""
    return (TakeOut(event.from_author_id, event.to_author_id),)
