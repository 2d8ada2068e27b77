import pytest

from write_api.domain.errors import CannotFollowSelf, Invalid
from write_api.domain.follow import Follow

BOB, ALICE = "a64a52cc-3ee9-4a15-918b-099e18b43119", "1fd7d739-2ad7-41a8-8c18-565603e3733f"


def test_no_author_follows_itself():
    """However the id is spelled."""
    with pytest.raises(CannotFollowSelf):
        Follow.begin({"follow_id": ALICE, "from_author_id": BOB, "to_author_id": BOB.upper()}, 1)


def test_all_ids_are_checked():
    """All three fields are named at once."""
    with pytest.raises(Invalid) as caught:
        Follow.begin({"follow_id": "", "from_author_id": "x", "to_author_id": "y"}, 1)
    assert [wrong.field for wrong in caught.value.fields] == ["follow_id", "from_author_id", "to_author_id"]


def test_a_follow_that_ended_keeps_what_it_was():
    """When it ended is known until it is removed."""
    follow = Follow.begin({"follow_id": ALICE, "from_author_id": BOB, "to_author_id": ALICE}, 1)
    follow.end(2)
    assert (follow.follow_id, follow.followed_at, follow.ended_at) == (ALICE, 1, 2)
