"""The audit reads the generation that is live when a comparison begins, or the given one, and no other."""

from __future__ import annotations

import msgspec
import pytest

from cheeper_audit.comparison.in_service import InService
from cheeper_audit.comparison.quiescence import Comparison, NotQuiescentError, Quiescence
from cheeper_audit.difference import Difference, Fault, MongoRepair, RedisRepair
from cheeper_audit.stores import OtherVersionError, StoreUnavailableError
from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.views.redis import orphans
from cheeper_audit.views.view import Stores
from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import (
    COMPARED_AT,
    LIVE,
    REGISTRY,
    REGISTRY_ID,
    VERSIONS,
    database_of,
    prefix_of,
    registry_key,
)
from cheeper_contracts.views.lag import lag_key, report_id

pytestmark = pytest.mark.proves(guarantee="audit")

FIVE = dict.fromkeys(range(PARTITIONS), 5)


class Generations:
    """The registries of both stores, and what is in the second generation of each."""

    def __init__(self, redis, redis_prefix, mongo):
        self.redis, self.mongo, self.prefix = redis, mongo, redis_prefix
        self.two = mongo.client[database_of(mongo.name, 2)]

    def register(self, *, live=1, state="active", versions=VERSIONS):
        """Register two generations; `state` and `versions` are those of the second."""
        entries = {
            store: {
                "1": {"state": "active", "version": VERSIONS[store]},
                "2": {"state": state, "version": versions[store]},
            }
            for store in VERSIONS
        }
        texts = {f"generation:{number}": msgspec.json.encode(each) for number, each in entries["redis"].items()}
        self.redis.hset(registry_key(self.prefix), mapping={LIVE: live, **texts})
        document = {LIVE: live, "generations": entries["mongo"]}
        self.mongo[REGISTRY].replace_one({"_id": REGISTRY_ID}, document, upsert=True)

    def fill(self, sequence=5):
        """Register a second generation of both stores."""
        for partition in range(PARTITIONS):
            self.redis.hset(self.key(views.CHECKPOINT, partition), "sequence", sequence)
        self.two[views.CHECKPOINTS.name].insert_many([{"_id": p, "sequence": sequence} for p in range(PARTITIONS)])

    def key(self, pattern, identifier):
        """Return a key of the second generation."""
        return pattern.key(prefix_of(self.prefix, 2), identifier)


@pytest.fixture
def generations(redis, redis_prefix, mongo):
    yield (made := Generations(redis, redis_prefix, mongo))
    mongo.client.drop_database(made.two.name)


@pytest.mark.parametrize("store", ["redis_views", "mongo_views"])
def test_the_live_generation_is_read(stores, generations, request, store):
    """Its checkpoints and its keys or documents; there and back."""
    store = request.getfixturevalue(store)
    assert (stores.audited, store.state().generation) == (("redis", "mongo"), 1)
    generations.fill(sequence=4)
    for live, sequence in ((2, 4), (1, 5)):
        generations.register(live=live)
        state = store.state()
        assert (state.generation, set(state.sequences.values())) == (live, {sequence})


@pytest.mark.usefixtures("stores")
def test_a_chosen_generation_is_read(redis, redis_prefix, mongo, generations):
    """Whichever is live; one that does not exist is an error, and so is one that is deleted meanwhile."""
    generations.fill(sequence=4)
    generations.register(live=1, state="building")
    chosen = [RedisViews(redis, redis_prefix, 2), MongoViews(mongo.client, mongo.name, 2)]
    for each in chosen:
        assert (each.state().generation, set(each.state().sequences.values())) == (2, {4})
    for each in (RedisViews(redis, redis_prefix, 3), MongoViews(mongo.client, mongo.name, 3)):
        with pytest.raises(StoreUnavailableError, match="has no generation 3"):
            each.state()


@pytest.mark.parametrize("live", [1, 2])
def test_a_repair_is_written_to_the_generation_that_was_read(stores, generations, redis, live):
    """And to that one alone."""
    generations.fill()
    generations.register(live=live)
    stores.moved()
    key = stores.redis.key(views.TIMELINE_FLOOR, "a")
    assert stores.redis.repair([RedisRepair((key,), (("SET", key, "x"),))], FIVE) == 1
    assert stores.mongo.repair([MongoRepair(views.AUTHORS.name, "a", {"_id": "a"})], FIVE) == 1
    assert (redis.get(generations.key(views.TIMELINE_FLOOR, "a")) == b"x") == (live == 2)
    assert generations.two[views.AUTHORS.name].count_documents({}) == live - 1
    assert generations.mongo[views.AUTHORS.name].count_documents({}) == 2 - live


def test_nothing_is_repaired_in_a_generation_that_is_being_deleted(redis, redis_prefix, mongo, generations):
    """A repair would bring back removed data, and nobody would remove it any more."""
    generations.fill()
    generations.register(state="deleting")
    in_redis, in_mongo = RedisViews(redis, redis_prefix, 2), MongoViews(mongo.client, mongo.name, 2)
    key = in_redis.key(views.TIMELINE_FLOOR, "a")
    assert in_redis.repair([RedisRepair((key,), (("SET", key, "x"),))], FIVE) == 0
    assert in_mongo.repair([MongoRepair(views.AUTHORS.name, "a", {"_id": "a"})], FIVE) == 0
    assert not redis.exists(key)
    assert generations.two[views.AUTHORS.name].count_documents({}) == 0


@pytest.mark.parametrize("store", ["redis", "mongo"])
def test_views_of_another_version_are_neither_compared_nor_repaired(stores, generations, store):
    """The audit neither reports nor writes, whether such views are live before it begins or become so meanwhile."""
    generations.fill()
    looks = []

    def look():
        looks.append(1)
        generations.register(live=2, versions=VERSIONS | {store: 1})
        return [Difference(store=store, view="author", id="a", faults=(Fault("nothing", "there"),))]

    comparison = Comparison(look, lambda _: pytest.fail("repaired"))
    generations.register(live=1)
    for _ in range(2):
        with pytest.raises(OtherVersionError, match=f"{store} generation 2 is of version 1.*projector rebuild"):
            Quiescence(stores, patience=5).audit(comparison, repair=True)
    assert len(looks) == 1
    with pytest.raises(OtherVersionError, match="version 1"):
        InService(stores, patience=0.2).audit(comparison)


@pytest.mark.parametrize("store", ["redis", "mongo"])
def test_a_switch_during_a_comparison_is_no_false_alarm(stores, generations, redis, redis_prefix, mongo, store):
    """The old generation may have been deleted half-way, so the comparison is repeated in the new one."""
    generations.fill()
    generations.register()
    looks = []

    def look():
        looks.append((stores.redis.stem, stores.mongo.state().generation))
        if len(looks) == 1 and store == "redis":
            redis.hset(registry_key(redis_prefix), LIVE, 2)
        elif len(looks) == 1:
            mongo[REGISTRY].update_one({"_id": REGISTRY_ID}, {"$set": {LIVE: 2}})
        return len(looks)

    seen, where = Quiescence(stores, patience=5).compare(look)
    assert seen == 2
    assert where.stores[store].generation == 2


def test_watching_looks_again_where_the_generation_moved(stores, generations, redis, redis_prefix):
    """A difference of a generation that was deleted during the comparison does not count."""
    generations.fill()
    generations.register()
    seen = []

    def compare():
        """Find a difference in the first generation, and switch to the second one meanwhile."""
        seen.append(stores.redis.stem)
        redis.hset(registry_key(redis_prefix), LIVE, 2)
        fault = Fault("nothing", "there")
        return [Difference(store="redis", view="author", id="a", faults=(fault,))] if len(seen) == 1 else []

    outcome = InService(stores).audit(Comparison(compare, lambda _: ()))
    assert (outcome.found, outcome.undecided) == ([], 0)
    assert len(set(seen)) == 2


def test_a_store_that_does_not_catch_up_is_not_judged(stores, one_more):
    """Its differences may be lag, so an audit in service ends without a verdict."""
    fault = Difference(store="redis", view="author", id="a", faults=(Fault("nothing", "there"),))
    one_more("mongo")
    with pytest.raises(NotQuiescentError, match="redis partition 2: 1 behind"):
        InService(stores, patience=0.2).audit(Comparison(lambda: [fault], lambda _: ()))


@pytest.mark.parametrize("name", ["redis", "mongo"])
def test_a_comparison_is_recorded_for_an_active_generation_alone(stores, generations, redis, redis_prefix, mongo, name):
    """A switch reads the record; one that is being built or deleted gets none."""
    generations.fill()
    one = Stores(
        stores.write_model, RedisViews(redis, redis_prefix, 2), MongoViews(mongo.client, mongo.name, 2), (name,)
    )
    for state, recorded in (("building", False), ("deleting", False), ("active", True)):
        generations.register(state=state)
        assert one.record_comparison() == recorded
        in_redis = msgspec.json.decode(redis.hget(registry_key(redis_prefix), "generation:2"))
        in_mongo = mongo[REGISTRY].find_one({"_id": REGISTRY_ID})["generations"]["2"]
        assert (COMPARED_AT in (in_redis if name == "redis" else in_mongo)) == recorded
        assert COMPARED_AT not in (in_mongo if name == "redis" else in_redis)


def test_keys_of_other_generations_are_no_orphans(stores, relay, generations, redis, redis_prefix):
    """Nor are registry, lag reports, or what belongs to no generation; an orphan of the one looked at is named."""
    relay.execute("CREATE TABLE authors (author_id uuid); CREATE TABLE cheeps (cheep_id uuid)")
    generations.fill()
    redis.set(generations.key(views.TIMELINE, "nobody"), "x")
    redis.set(views.ACCEPTED_COMMAND.key(redis_prefix, "a"), "x")
    redis.hset(lag_key(redis_prefix), report_id(2, 7), "{}")
    redis.set(views.stem(redis_prefix) + "likes:1", "x")
    for live, found in ((1, ["likes:1"]), (2, ["timeline:nobody"])):
        generations.register(live=live)
        stores.moved()
        stem = stores.redis.stem
        keys = {key.decode().removeprefix(stem): key for some in stores.redis.all_keys() for key in some}
        assert [each.id for each in orphans.orphans(stores.write_model, stores.redis, keys)] == found
