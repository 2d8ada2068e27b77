import pytest

from write_api.domain.errors import Invalid
from write_api.domain.notification import Notification

BOB, ALICE = "a64a52cc-3ee9-4a15-918b-099e18b43119", "1fd7d739-2ad7-41a8-8c18-565603e3733f"


def test_a_notification_names_the_author_who_caused_it():
    """The follower of a new follow, the author of an answer with the answer, no author for a welcome."""
    fields = {"notification_id": ALICE, "author_id": BOB}
    welcome = Notification.of("welcome", fields, 7)
    follower = Notification.of("new_follower", {**fields, "follower_id": ALICE}, 7)
    answer = Notification.of("answer", {**fields, "answered_by": ALICE, "cheep_id": BOB}, 7)
    assert [one.from_author_id for one in (welcome, follower, answer)] == [None, ALICE, ALICE]
    assert [one.cheep_id for one in (welcome, follower, answer)] == [None, None, BOB]
    assert {one.notified_at for one in (welcome, follower, answer)} == {7}


def test_all_ids_are_checked():
    """Every field is named as the command names it."""
    form = {"notification_id": "", "author_id": "a", "cheep_id": "c", "answered_by": "b"}
    with pytest.raises(Invalid) as caught:
        Notification.of("answer", form, 1)
    assert [wrong.field for wrong in caught.value.fields] == list(form)
