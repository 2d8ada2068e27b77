"""MongoDB: authors' profiles and counts.

The profile is set by the author's own event; counts are only ever added to, since other authors' events may come first.
"""

from __future__ import annotations

from cheeper_contracts import views
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from projector.meta import Meta
from projector.writes import Increment, SetFields

PROFILE = ("username", "name", "bio", "location", "website", "birth_date", "signed_up_at")


def new_author_signed(event: NewAuthorSigned, _meta: Meta) -> tuple[SetFields]:
    """The profile, which makes the author exist for readers."""
    return (SetFields(views.AUTHORS.name, event.author_id, {field: getattr(event, field) for field in PROFILE}),)


def author_followed(event: AuthorFollowed, _meta: Meta) -> tuple[Increment, Increment]:
    """One more follower there, one more followed here."""
    return (
        Increment(views.AUTHORS.name, event.to_author_id, {"followers": 1}),
        Increment(views.AUTHORS.name, event.from_author_id, {"following": 1}),
    )


def cheep_posted(event: CheepPosted, _meta: Meta) -> tuple[Increment]:
    """One more cheep."""
    return (Increment(views.AUTHORS.name, event.author_id, {"cheeps": 1}),)
