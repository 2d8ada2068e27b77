"""MongoDB: authors' profiles and counts.

The profile is set by the author's own events; counts are only ever added to, since other authors' events may come
first.
"""

from __future__ import annotations

from typing import Any

from cheeper_contracts import views
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.events.profile_updated import ProfileUpdated
from cheeper_contracts.words import words_of
from projector.projections.meta import Meta
from projector.projections.writes import Increment, SetFields

PROFILE = ("name", "bio", "location", "website", "birth_date")


def new_author_signed(event: NewAuthorSigned, _meta: Meta) -> tuple[SetFields]:
    """Write the profile, with which the author exists for readers."""
    fields = {
        "username": event.username,
        "username_folded": event.username.lower(),
        "signed_up_at": event.signed_up_at,
    }
    return (SetFields(views.AUTHORS.name, event.author_id, fields | _profile(event)),)


def profile_updated(event: ProfileUpdated, _meta: Meta) -> tuple[SetFields]:
    """Write all of the profile that can change."""
    return (SetFields(views.AUTHORS.name, event.author_id, _profile(event)),)


def author_followed(event: AuthorFollowed, _meta: Meta) -> tuple[Increment, Increment]:
    """Count one more follower, and one more followed author."""
    return _both_sides(event, 1)


def author_unfollowed(event: AuthorUnfollowed, _meta: Meta) -> tuple[Increment, Increment]:
    """Count one follower less, and one followed author less."""
    return _both_sides(event, -1)


def cheep_posted(event: CheepPosted | CheepAnswered, _meta: Meta) -> tuple[Increment]:
    """Count one more cheep; an answer is one too."""
    return (Increment(views.AUTHORS.name, event.author_id, {"cheeps": 1}),)


def cheep_deleted(event: CheepDeleted, _meta: Meta) -> tuple[Increment]:
    """Count one cheep less."""
    return (Increment(views.AUTHORS.name, event.author_id, {"cheeps": -1}),)


def _profile(event: NewAuthorSigned | ProfileUpdated) -> dict[str, Any]:
    return {field: getattr(event, field) for field in PROFILE} | {"words": words_of(event.username, event.name)}


def _both_sides(event: AuthorFollowed | AuthorUnfollowed, by: int) -> tuple[Increment, Increment]:
    return (
        Increment(views.AUTHORS.name, event.to_author_id, {"followers": by}),
        Increment(views.AUTHORS.name, event.from_author_id, {"following": by}),
    )
