"""MongoDB: the cheeps.

All events of a cheep are in its author's stream, so each may contain all of it. The number of its answers is only ever
added to, since the answers are in other authors' streams: they may come before the cheep, and after its deletion.
"""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts import views
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.words import words_of
from projector.projections.meta import Meta
from projector.projections.writes import Increment, SetFields, UnsetFields

_COUNT: Final = "number_of_answers"
_LEFT: Final = ("_id", _COUNT)
_DELETED: Final = tuple(
    field.encode_name for field in msgspec.structs.fields(views.CheepDocument) if field.encode_name not in _LEFT
)
"""The fields of a cheep that its deletion removes."""


def cheep_posted(event: CheepPosted, _meta: Meta) -> tuple[SetFields]:
    """Write the whole cheep."""
    return _cheep(event, in_reply_to=None, edited_at=None)


def cheep_answered(event: CheepAnswered, _meta: Meta) -> tuple[SetFields, Increment]:
    """Write the whole cheep and what it answers, and count one more answer there."""
    return *_cheep(event, in_reply_to=event.in_reply_to, edited_at=None), _counted(event.in_reply_to, 1)


def cheep_updated(event: CheepUpdated, _meta: Meta) -> tuple[SetFields]:
    """Write the whole cheep with its new text."""
    return _cheep(event, in_reply_to=event.in_reply_to, edited_at=event.edited_at)


def cheep_deleted(event: CheepDeleted, _meta: Meta) -> tuple[SetFields | UnsetFields | Increment, ...]:
    """Leave only the time of the deletion and the number of answers; count one answer less if it was one."""
    deleted = (
        SetFields(views.CHEEPS.name, event.cheep_id, {"deleted_at": event.deleted_at}),
        UnsetFields(views.CHEEPS.name, event.cheep_id, _DELETED),
    )
    return deleted if event.in_reply_to is None else (*deleted, _counted(event.in_reply_to, -1))


def _counted(cheep_id: str, by: int) -> Increment:
    return Increment(views.CHEEPS.name, cheep_id, {_COUNT: by})


def _cheep(
    event: CheepPosted | CheepAnswered | CheepUpdated, *, in_reply_to: str | None, edited_at: int | None
) -> tuple[SetFields]:
    fields = {
        "author_id": event.author_id,
        "author_username": event.author_username,
        "message": event.message,
        "words": words_of(event.message),
        "cheep_date": event.cheep_date,
        "in_reply_to": in_reply_to,
        "edited_at": edited_at,
    }
    return (SetFields(views.CHEEPS.name, event.cheep_id, fields),)
