from __future__ import annotations

import msgspec
import pytest
from bson.int64 import Int64

from cheeper_audit.views.mongo.authors import Authors
from cheeper_audit.views.mongo.base import to_document
from cheeper_audit.views.mongo.cheeps import Cheeps
from cheeper_audit.views.mongo.follows import Follows
from cheeper_contracts import views

AUTHOR = views.AuthorDocument(author_id="a", username="Ana", username_folded="ana", signed_up_at=5, words=["ana", "b"])


def test_a_document_as_the_projector_writes_it_has_no_fault():
    """Counts that nothing was added to may lack, numbers may be of any width."""
    document = to_document(AUTHOR) | {"signed_up_at": Int64(5)}
    for count in ("followers", "following", "cheeps"):
        del document[count]
    assert Authors().faults(document, AUTHOR) == ()


@pytest.mark.parametrize("field", [*to_document(AUTHOR), "likes"])
def test_any_field_with_another_value_is_a_fault(field):
    """And one that nobody declared."""
    [fault] = Authors().faults(to_document(AUTHOR) | {field: "other"}, AUTHOR)
    assert fault.found == f"{field} 'other'"


@pytest.mark.parametrize("field", ["message", "author_id", "cheep_date"])
def test_a_field_without_default_must_be_there(field):
    """A cheep without it is a difference."""
    cheep = views.CheepDocument(cheep_id="c", author_id="a", author_username="Ana", message="Hi", cheep_date=1)
    document = to_document(cheep)
    del document[field]
    [fault] = Cheeps().faults(document, cheep)
    assert fault.found == f"without {field}"


@pytest.mark.parametrize("counted", [None, 0, 2])
def test_a_wrong_number_of_answers_is_a_fault(counted):
    """A missing count is none, also of a deleted cheep, whose answers stay."""
    deleted = views.DeletedCheepDocument(cheep_id="c", deleted_at=7, number_of_answers=3)
    document = to_document(deleted) | {"number_of_answers": counted}
    if counted is None:
        del document["number_of_answers"]
    [fault] = Cheeps().faults(document, deleted)
    assert (fault.found, fault.expected) == (f"number_of_answers {counted or 0}", "number_of_answers 3")


def test_nothing_but_its_end_and_its_answers_is_left_of_a_deleted_cheep():
    """Each other field that is still there is a fault."""
    deleted = views.DeletedCheepDocument(cheep_id="c", deleted_at=7)
    faults = Cheeps().faults({"_id": "c", "deleted_at": 7, "message": "Hi", "author_id": "a"}, deleted)
    assert [fault.expected for fault in faults] == ["without author_id", "without message"]


def test_follows_lie_within_their_followers_spans():
    """All pairs of a follower, and of nobody else, whatever the followed ids."""
    view, low, high = Follows(), "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    bound = view.bound(low)
    assert bound is not None
    assert f"{low} ffffffff-ffff-4fff-bfff-ffffffffffff" < bound < f"{high} 00000000"
    assert view.owner(f"{low} {high}") == low


def test_documents_are_written_under_the_names_that_are_declared():
    """With `_id` for what the struct calls by its meaning."""
    assert to_document(AUTHOR) == msgspec.to_builtins(AUTHOR)
