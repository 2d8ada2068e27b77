"""MongoDB: who follows whom. Both events of a pair are in the followed author's stream, so the last one is right."""

from __future__ import annotations

from cheeper_contracts import views
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from projector.projections.meta import Meta
from projector.projections.writes import Delete, SetFields


def author_followed(event: AuthorFollowed, _meta: Meta) -> tuple[SetFields]:
    """Write the follow, for the lists of both authors."""
    fields = {
        "from_author_id": event.from_author_id,
        "to_author_id": event.to_author_id,
        "followed_at": event.followed_at,
    }
    return (SetFields(views.FOLLOWS.name, _pair(event), fields),)


def author_unfollowed(event: AuthorUnfollowed, _meta: Meta) -> tuple[Delete]:
    """Delete the follow."""
    return (Delete(views.FOLLOWS.name, _pair(event)),)


def _pair(event: AuthorFollowed | AuthorUnfollowed) -> str:
    return f"{event.from_author_id} {event.to_author_id}"
