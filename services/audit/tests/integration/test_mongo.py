"""Repairs documents by compare-and-set, and reading ranges of them."""

from __future__ import annotations

import pytest
from bson import ObjectId

from cheeper_audit.difference import MongoRepair
from cheeper_audit.views.mongo import orphans
from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS

pytestmark = [pytest.mark.proves(guarantee="audit"), pytest.mark.variants]

SEQUENCES = dict.fromkeys(range(PARTITIONS), 5)
NAME = views.AUTHORS.name


@pytest.fixture(autouse=True)
def at_five(mongo):
    """Set all checkpoints to 5, and insert some documents."""
    mongo[views.CHECKPOINTS.name].insert_many([{"_id": p, "sequence": 5, "topic_id": "t"} for p in range(PARTITIONS)])
    mongo[NAME].insert_many([{"_id": each, "bio": each} for each in ("a", "b", "c", "d")])


def test_documents_are_written_and_deleted_together(mongo, mongo_views):
    """One that is there is replaced, one that is not is made."""
    repairs = [MongoRepair(NAME, "a", {"_id": "a"}), MongoRepair(NAME, "e", {"_id": "e"}), MongoRepair(NAME, "b", None)]
    assert mongo_views.repair(repairs, SEQUENCES) == 3
    assert list(mongo[NAME].find({"_id": {"$in": ["a", "b", "e"]}}).sort("_id")) == [{"_id": "a"}, {"_id": "e"}]


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_nothing_is_written_once_any_checkpoint_has_moved(mongo, mongo_views, partition):
    """A document may be fed by keys of several partitions. Without the comparison each of these fails."""
    mongo[views.CHECKPOINTS.name].update_one({"_id": partition}, {"$inc": {"sequence": 1}})
    assert mongo_views.repair([MongoRepair(NAME, "a", None)], SEQUENCES) == 0
    assert mongo[NAME].find_one("a") == {"_id": "a", "bio": "a"}


def test_what_the_projector_writes_at_the_same_time_wins(mongo, mongo_views):
    """A transaction of its own on the same document: the repair meets the conflict and writes nothing."""
    with mongo.client.start_session() as session, session.start_transaction():
        mongo[NAME].update_one({"_id": "a"}, {"$set": {"bio": "new"}}, session=session)
        mongo[views.CHECKPOINTS.name].update_one({"_id": 0}, {"$inc": {"sequence": 1}}, session=session)
        assert mongo_views.repair([MongoRepair(NAME, "b", None), MongoRepair(NAME, "a", None)], SEQUENCES) == 0
    assert [each["_id"] for each in mongo[NAME].find().sort("_id")] == ["a", "b", "c", "d"]


def test_a_range_excludes_its_lower_and_includes_its_upper_end(mongo_views):
    """A range without an end is open there."""
    assert sorted(mongo_views.between(views.AUTHORS, "a", "c")) == ["b", "c"]
    assert sorted(mongo_views.between(views.AUTHORS, None, "a")) == ["a"]
    assert sorted(mongo_views.between(views.AUTHORS, "c", None)) == ["d"]


def test_ids_of_other_types_are_found_and_repaired(mongo, mongo_views):
    """No range has these ids."""
    mongo[NAME].insert_many([{"_id": ObjectId("0" * 24)}, {"_id": 7}])
    assert len(mongo_views.between(views.AUTHORS, None, None)) == 4
    found = orphans.orphans(mongo_views)
    assert {each.id for each in found} == {"7", f"ObjectId('{'0' * 24}')"}
    mongo_views.repair(orphans.repairs(mongo_views, found), SEQUENCES)
    assert orphans.orphans(mongo_views) == []


def test_checkpoints_and_parked_messages_are_counted(mongo, mongo_views):
    """Partitions of which nothing was applied are at 0."""
    mongo[views.CHECKPOINTS.name].delete_one({"_id": 2})
    mongo[views.PARKED_MESSAGES.name].insert_one({"_id": "1:6"})
    state = mongo_views.state()
    assert (state.sequences, state.tasks, state.parked) == (SEQUENCES | {2: 0}, 0, 1)
