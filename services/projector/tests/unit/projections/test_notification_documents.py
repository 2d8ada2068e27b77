from cheeper_contracts import views
from cheeper_contracts.events.notifications_read import NotificationsRead
from projector.projections.notification_documents import notifications_read
from projector.projections.writes import SetFields


def test_a_mark_is_in_the_document_of_its_author(meta):
    """It is the place in the list up to which all is read, so no notification is written anew."""
    event = NotificationsRead(author_id="alice", notification_id="welcome", notified_at=1, read_at=2)
    fields = {"read_until": 1, "read_until_id": "welcome"}
    assert notifications_read(event, meta) == (SetFields(views.AUTHORS.name, "alice", fields),)
