"""Both stores: who mutes whom. All that concerns a pair is in the muted author's stream, as its follow is."""

from __future__ import annotations

from cheeper_contracts import views
from cheeper_contracts.events.author_muted import AuthorMuted
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from projector.projections.meta import Meta
from projector.projections.writes import AddToSet, Delete, PullIn, RemoveFromSet, SetFields, TakeOut


def muted_in_redis(event: AuthorMuted, _meta: Meta) -> tuple[AddToSet, AddToSet, TakeOut]:
    """Remove the muted author's cheeps from the timeline of who mutes, and keep new ones out."""
    return (
        AddToSet(views.MUTERS.name, event.muted_id, event.author_id),
        AddToSet(views.MUTED.name, event.author_id, event.muted_id),
        TakeOut(event.author_id, event.muted_id),
    )


def unmuted_in_redis(event: AuthorUnmuted, _meta: Meta) -> tuple[RemoveFromSet, RemoveFromSet, PullIn]:
    """Add the author's cheeps again, if it is followed."""
    return (
        RemoveFromSet(views.MUTERS.name, event.muted_id, event.author_id),
        RemoveFromSet(views.MUTED.name, event.author_id, event.muted_id),
        PullIn(event.author_id, event.muted_id),
    )


def muted_in_mongo(event: AuthorMuted, _meta: Meta) -> tuple[SetFields]:
    """Write the mute, which hides notifications."""
    fields = {"author_id": event.author_id, "muted_id": event.muted_id, "muted_at": event.muted_at}
    return (SetFields(views.MUTES.name, _pair(event), fields),)


def unmuted_in_mongo(event: AuthorUnmuted, _meta: Meta) -> tuple[Delete]:
    """Delete the mute."""
    return (Delete(views.MUTES.name, _pair(event)),)


def _pair(event: AuthorMuted | AuthorUnmuted) -> str:
    return f"{event.author_id} {event.muted_id}"
