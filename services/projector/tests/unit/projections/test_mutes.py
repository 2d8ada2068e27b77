from cheeper_contracts import views
from cheeper_contracts.events.author_muted import AuthorMuted
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from projector import projections
from projector.projections.writes import (
    AddToSet,
    Delete,
    PullIn,
    PutText,
    RemoveFromSet,
    ReportNotifications,
    SetFields,
    TakeOut,
)

MUTED = AuthorMuted(author_id="alice", muted_id="bob", muted_at=1)
UNMUTED = AuthorUnmuted(author_id="alice", muted_id="bob", unmuted_at=2)


def written(table, event, meta):
    """Return what a store writes for the event, without the record of the command."""
    found = projections.project(table, event, meta)
    return [
        write
        for write in found
        if not isinstance(write, PutText) and getattr(write, "collection", "") != views.COMMANDS.name
    ]


def test_a_mute_takes_the_author_out_of_one_timeline(meta):
    """And both sides know of it, so that no cheep comes in any more, and the list of notifications has changed."""
    assert written(projections.REDIS, MUTED, meta) == [
        AddToSet(views.MUTERS.name, "bob", "alice"),
        AddToSet(views.MUTED.name, "alice", "bob"),
        TakeOut("alice", "bob"),
        ReportNotifications("alice"),
    ]
    assert written(projections.REDIS, UNMUTED, meta) == [
        RemoveFromSet(views.MUTERS.name, "bob", "alice"),
        RemoveFromSet(views.MUTED.name, "alice", "bob"),
        PullIn("alice", "bob"),
        ReportNotifications("alice"),
    ]


def test_a_mute_is_a_document_while_it_lasts(meta):
    """It hides the notifications that the muted author causes."""
    fields = {"author_id": "alice", "muted_id": "bob", "muted_at": 1}
    assert written(projections.MONGO, MUTED, meta) == [SetFields(views.MUTES.name, "alice bob", fields)]
    assert written(projections.MONGO, UNMUTED, meta) == [Delete(views.MUTES.name, "alice bob")]
