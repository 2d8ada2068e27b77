import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import DeleteOne

from projector.projections.writes import Delete, Increment, SetFields, UnsetFields
from projector.stores.mongo.operations import operations

COLLECTION = "things"
PLACE = (COLLECTION, "one")

lists = st.lists(st.sampled_from(["a", "$some"]), max_size=2)
numbers = st.fixed_dictionaries({"n": st.integers(-3, 3)})
fields = st.one_of(
    numbers,
    st.fixed_dictionaries({"n": st.just(7), "others": lists}),
    st.fixed_dictionaries({"some": lists, "text": st.sampled_from(["$n", None])}),
)
writes = st.one_of(
    st.builds(lambda what: SetFields(*PLACE, what), fields),
    st.builds(lambda what: Increment(*PLACE, what), numbers),
    st.builds(lambda what: UnsetFields(*PLACE, tuple(what)), st.sets(st.sampled_from(["n", "some", "text"]))),
    st.just(Delete(*PLACE)),
)


def documents(collection):
    """The documents by id."""
    return {document["_id"]: document for document in collection.find()}


@settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(writes, max_size=3), batch=st.lists(writes, min_size=1, max_size=8))
def test_a_batch_does_what_its_writes_do_one_by_one(mongo, before, batch):
    """The combined writes to a document have the effect of the single writes in order, whatever was there before, and
    whether or not it is known what was.
    """

    def absent(collection, ids):
        return set(ids) - documents(mongo[collection]).keys()

    one_by_one = [[write] for write in (*before, *batch)]
    ends = []
    for parts, known in (([before, batch], ()), ([before, batch], (absent,)), (one_by_one, ())):
        mongo[COLLECTION].delete_many({})
        for part in filter(None, parts):
            mongo[COLLECTION].bulk_write(operations(part, *known)[COLLECTION])
        ends.append(documents(mongo[COLLECTION]))
    assert ends[0] == ends[1] == ends[2]


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ([SetFields(COLLECTION, "one", {"n": 1}), Delete(COLLECTION, "one")], {}),
        (
            [Delete(COLLECTION, "one"), SetFields(COLLECTION, "one", {"text": "$n"})],
            {"one": {"_id": "one", "text": "$n"}},
        ),
        (
            [SetFields(COLLECTION, "one", {"n": 1}), Increment(COLLECTION, "one", {"n": 2})],
            {"one": {"_id": "one", "old": True, "n": 3}},
        ),
        (
            [UnsetFields(COLLECTION, "one", ("n", "old")), Increment(COLLECTION, "one", {"n": 2})],
            {"one": {"_id": "one", "n": 2}},
        ),
    ],
    ids=["set and deleted", "deleted and set", "set and counted", "removed and counted"],
)
def test_the_last_write_to_a_document_is_what_is_left(mongo, batch, expected):
    """A deletion discards the writes before it, the removal of a field those of it; later writes apply to that."""
    mongo[COLLECTION].insert_one({"_id": "one", "old": True})
    mongo[COLLECTION].bulk_write(operations(batch)[COLLECTION])
    assert documents(mongo[COLLECTION]) == expected


def test_a_document_has_one_operation_and_deletions_come_last():
    """A batch is two commands at most, however it mixes writes and deletions."""
    batch = [
        write
        for number in range(4)
        for write in (SetFields(COLLECTION, str(number), {"n": 1}), Increment(COLLECTION, str(number), {"n": 1}))
    ]
    batch += [Delete(COLLECTION, "0"), Delete(COLLECTION, "2")]
    found = operations(batch)[COLLECTION]
    assert [isinstance(operation, DeleteOne) for operation in found] == [False, False, True, True]
