"""Redis: who follows an author and whom an author follows, each set with its counter."""

from __future__ import annotations

from cheeper_contracts import views
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from projector.projections.meta import Meta
from projector.projections.writes import AddMember, RemoveMember


def author_followed(event: AuthorFollowed, _meta: Meta) -> tuple[AddMember, AddMember]:
    """Add the follow to the sets of both authors."""
    return (
        AddMember(views.FOLLOWERS.name, event.to_author_id, event.from_author_id, "followers"),
        AddMember(views.FOLLOWING.name, event.from_author_id, event.to_author_id, "following"),
    )


def author_unfollowed(event: AuthorUnfollowed, _meta: Meta) -> tuple[RemoveMember, RemoveMember]:
    """Remove the follow from the sets of both authors."""
    return (
        RemoveMember(views.FOLLOWERS.name, event.to_author_id, event.from_author_id, "followers"),
        RemoveMember(views.FOLLOWING.name, event.from_author_id, event.to_author_id, "following"),
    )
