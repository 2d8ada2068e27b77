"""Generations: made, switched to only when nothing that readers have seen is lacking, and forgotten for good."""

import random
import threading
from contextlib import suppress

import pytest
import redis as redis_client
from pymongo import MongoClient

from cheeper_contracts import views
from cheeper_contracts.views.generations import LIVE, REGISTRY, REGISTRY_ID, database_of, prefix_of, registry_key
from projector.stores.base import Batch, StoreUnavailableError
from projector.stores.mongo.generations import MongoGenerations
from projector.stores.mongo.parked import MongoParkedMessages
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.generations import RedisGenerations
from projector.stores.redis.parked import RedisParkedMessages
from projector.stores.redis.scripts import RedisSettings
from projector.stores.redis.store import RedisStore
from projector.stores.registry import (
    BehindError,
    ForgottenError,
    Generation,
    GenerationError,
    NotComparedError,
    Registry,
    State,
)

pytestmark = [pytest.mark.proves(guarantee="rebuild"), pytest.mark.variants("store_scene")]


class OnRedis:
    name = "redis"

    def __init__(self, url, prefix):
        self.url, self.prefix, self.opened = url, prefix, []
        self.client = self.connected()
        self.generations = RedisGenerations(self.connected(), prefix)

    def connected(self):
        self.opened.append(redis_client.Redis.from_url(self.url))
        return self.opened[-1]

    def close(self):
        for client in self.opened:
            client.close()

    def settings(self, number, **changes):
        settings = {"inline_max": 1_000, "slice_size": 1_000, **changes}
        return RedisSettings(
            prefix=prefix_of(self.prefix, number), generation=number, installation=self.prefix, **settings
        )

    def store(self, number, **changes):
        return RedisStore(self.connected(), self.settings(number, **changes))

    def parked(self, number):
        return RedisParkedMessages(self.connected(), self.settings(number))

    def left_of(self, number):
        return list(self.client.scan_iter(f"{prefix_of(self.prefix, number)}{{0}}:*"))

    def at_once(self):
        """Live, and the sequences of partition 0 in both generations, as one instant has them."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hget(registry_key(self.prefix), "live")
            for number in (1, 2):
                pipe.hget(views.CHECKPOINT.key(prefix_of(self.prefix, number), 0), "sequence")
            live, *reached = pipe.execute()
        return int(live), dict(zip((1, 2), map(int, reached), strict=True))


class OnMongo:
    name = "mongo"

    def __init__(self, url, database):
        self.url, self.database, self.opened = url, database, []
        self.client = self.connected()
        self.generations = MongoGenerations(self.connected(), database)

    def connected(self):
        self.opened.append(MongoClient(self.url))
        return self.opened[-1]

    def close(self):
        for number in range(2, 9):
            self.client.drop_database(database_of(self.database, number))
        for client in self.opened:
            client.close()

    def store(self, number, **_):
        store = MongoStore(self.connected(), self.database, number)
        store.prepare()
        return store

    def parked(self, number):
        return MongoParkedMessages(self.connected(), database_of(self.database, number))

    def left_of(self, number):
        return self.client[database_of(self.database, number)].list_collection_names()

    def at_once(self):
        with self.client.start_session() as session, session.start_transaction():
            live = self.client[self.database][REGISTRY].find_one({}, session=session)["live"]
            reached = {
                number: self.client[database_of(self.database, number)][views.CHECKPOINTS.name].find_one(
                    {"_id": 0}, session=session
                )["sequence"]
                for number in (1, 2)
            }
        return live, reached


@pytest.fixture(params=["redis", "mongo"])
def store_scene(request):
    """Each store in turn, with its registry."""
    if request.param == "redis":
        made = OnRedis(request.getfixturevalue("redis_url"), request.getfixturevalue("redis_prefix"))
    else:
        made = OnMongo(request.getfixturevalue("mongo_url"), request.getfixturevalue("mongo_database"))
    yield made
    made.close()


@pytest.fixture
def on_redis(redis_url, redis_prefix):
    """Redis alone, for what MongoDB has not."""
    made = OnRedis(redis_url, redis_prefix)
    yield made
    made.close()


@pytest.fixture
def on_mongo(mongo_url, mongo_database):
    """MongoDB alone, likewise."""
    made = OnMongo(mongo_url, mongo_database)
    yield made
    made.close()


@pytest.fixture
def two(store_scene, story, author, helpers, compared):
    """Two active generations, compared, with the same messages in them, all of partition 0."""
    store_scene.generations.register(1)
    assert store_scene.generations.create(1).number == 2
    store_scene.generations.activate(2)
    compared(store_scene.generations, 2)
    bob = author()
    for _ in range(3):
        story.followed(author(), bob, partition=0)
    store_scene.bob = bob
    store_scene.first, store_scene.second = store_scene.store(1), store_scene.store(2)
    for store in (store_scene.first, store_scene.second):
        helpers.apply_all(store, 0, story.messages[0])
    return store_scene


def test_the_first_generation_is_registered_once_and_is_live(store_scene):
    """A fresh installation has one generation; a later version of the code finds it as it is."""
    assert store_scene.generations.registry() == Registry()
    made = store_scene.generations.register(3)
    assert (made.live, made.previous, made.of(1).version, made.of(1).state) == (1, None, 3, State.ACTIVE)
    assert store_scene.generations.register(4) == made == store_scene.generations.registry()


def test_one_is_built_at_a_time_and_numbers_are_not_given_twice(store_scene):
    """A forgotten generation's number never means another one."""
    store_scene.generations.register(1)
    second = store_scene.generations.create(2)
    assert second == Generation(number=2, version=2, state=State.BUILDING, made_at=second.made_at)
    with pytest.raises(GenerationError, match="generation 2 of version 2 is being built"):
        store_scene.generations.create(3)
    with pytest.raises(GenerationError, match="is building, not active"):
        store_scene.generations.switch(2)
    store_scene.generations.forget(2)
    assert list(store_scene.generations.clear(2))
    store_scene.generations.remove(2)
    assert store_scene.generations.create(2).number == 3


def test_a_switch_goes_there_and_back(two):
    """Readers are shown the target from then on; `previous` is where a rollback goes."""
    two.generations.switch(2)
    assert (two.generations.registry().live, two.generations.registry().previous) == (2, 1)
    with pytest.raises(GenerationError, match="live already"):
        two.generations.switch(2)
    two.generations.switch(1)
    assert (two.generations.registry().live, two.generations.registry().previous) == (1, 2)


def test_a_switch_to_what_was_not_compared_is_refused(store_scene):
    """The audit's record is asked for, but not for the generation that was live just before: readers have seen it."""
    store_scene.generations.register(1)
    store_scene.generations.create(1)
    store_scene.generations.activate(2)
    for restored in (False, True):
        with pytest.raises(NotComparedError, match="run `cheeper-audit --generation 2`"):
            store_scene.generations.switch(2, restored=restored)
    assert store_scene.generations.registry().live == 1


def test_a_switch_in_mongodb_marks_what_it_leaves_and_what_it_shows(on_mongo, compared):
    """A query reads with its data which generation was live at that moment (`cheeper_contracts.views.generations`)."""
    on_mongo.generations.register(1)
    for number in (2, 3):
        assert on_mongo.generations.create(1).number == number
        on_mongo.generations.activate(number)
        compared(on_mongo.generations, number)
    compared(on_mongo.generations, 1)

    def marks():
        databases = (on_mongo.client[database_of(on_mongo.database, number)] for number in (1, 2, 3))
        return [(database[REGISTRY].find_one({"_id": REGISTRY_ID}) or {}).get(LIVE) for database in databases]

    seen = []
    for number in (2, 3, 2, 1):
        on_mongo.generations.switch(number)
        seen.append(marks())
    assert seen == [[2, 2, None], [3, 3, 3], [2, 2, 2], [1, 1, 2]]


def test_a_switch_is_refused_while_the_target_is_behind(two, story, author, helpers):
    """A switch is refused if one message of one partition is lacking, and the error names it."""
    story.followed(author(), two.bob, partition=0)
    helpers.apply_all(two.first, 0, story.messages[0])
    with pytest.raises(BehindError, match="at sequence 3 of partition 0, where the live one is at 4"):
        two.generations.switch(2)
    assert two.generations.registry().live == 1
    helpers.apply_all(two.second, 0, story.messages[0])
    two.generations.switch(2)


def test_a_switch_is_refused_while_a_partition_is_not_begun(two, author, helpers):
    """A target without any checkpoint of a partition is behind a live one that has one."""
    other = helpers.Story()
    other.followed(author(), author(), partition=5)
    helpers.apply_all(two.first, 5, other.messages[5])
    with pytest.raises(BehindError, match="sequence 0 of partition 5"):
        two.generations.switch(2)


def test_a_switch_is_refused_over_a_parked_message_that_the_live_one_has_applied(two, story, author, helpers):
    """A switch that would take a message's effects back is refused; what both have parked does not count."""
    story.add(story.followed(author(), two.bob, partition=1).event, partition=0, value=b"{broken")
    poison = story.messages[0]
    for store in (two.first, two.second):
        helpers.apply_all(store, 0, poison)
    two.generations.switch(2)
    two.generations.switch(1)
    parked = two.parked(1)
    (message,) = parked.all()
    assert parked.drop(message)
    with pytest.raises(BehindError, match="has parked a message that the live one has not: 0:4"):
        two.generations.switch(2)


@pytest.mark.extended
def test_a_switch_compares_a_thousand_parked_messages_and_no_more(two, story, author, helpers):
    """Each waits under a key of its own, in both generations; more would be too much for one step."""
    for _ in range(1_000):
        story.add(story.followed(author(), author(), partition=1).event, partition=0, value=b"{broken")
    for store in (two.first, two.second):
        helpers.apply_all(store, 0, story.messages[0])
    two.generations.switch(2)
    story.add(story.followed(author(), author(), partition=1).event, partition=0, value=b"{broken")
    for store in (two.first, two.second):
        helpers.apply_all(store, 0, story.messages[0][-1:])
    with pytest.raises(BehindError, match="has more than 1000 messages parked"):
        two.generations.switch(1)


def test_what_the_live_one_alone_has_parked_is_no_hindrance(two, story, author, helpers):
    """A rebuild may get rid of poison."""
    story.add(story.followed(author(), two.bob, partition=1).event, partition=0, value=b"{broken")
    for store in (two.first, two.second):
        helpers.apply_all(store, 0, story.messages[0])
    parked = two.parked(2)
    assert parked.drop(next(parked.all()))
    two.generations.switch(2)


def test_a_restored_database_lets_the_target_be_shorter(two, author, helpers, compared):
    """With another topic, and only with `restored`, sequences are not compared: they count another history."""
    other = helpers.Story()
    other.followed(author(), author(), partition=0)
    two.generations.create(1)
    two.generations.activate(3)
    compared(two.generations, 3)
    third = two.store(3)
    helpers.apply_all(third, 0, other.messages[0], topic_id="made anew")
    with pytest.raises(BehindError):
        two.generations.switch(3)
    two.generations.switch(3, restored=True)
    assert two.generations.registry().live == 3


def test_nothing_is_left_out_of_the_comparison_where_the_topic_is_the_same(two, story, author, helpers):
    """Saying that the database was restored does not let a target of the live one's own topic be behind."""
    story.followed(author(), two.bob, partition=0)
    helpers.apply_all(two.first, 0, story.messages[0])
    with pytest.raises(BehindError, match="is behind"):
        two.generations.switch(2, restored=True)


class Race:
    """A writer of each generation, now the one ahead and now the other, and a reader of whichever is live."""

    def __init__(self, store_scene, messages, helpers, seed):
        self.store_scene, self.messages, self.helpers = store_scene, messages, helpers
        self.at, self.stop, self.taken_back = {1: 3, 2: 3}, threading.Event(), []
        stores = {1: store_scene.first, 2: store_scene.second}
        self.threads = [threading.Thread(target=self.read)] + [
            threading.Thread(target=self.write, args=(number, store, random.Random(f"{seed} {number}")))
            for number, store in stores.items()
        ]

    @property
    def over(self):
        return min(self.at.values()) == len(self.messages)

    def write(self, number, store, rng):
        while not self.stop.is_set() and self.at[number] < len(self.messages):
            if self.at[number] > self.at[3 - number] + 2:
                self.stop.wait(0.001)
                continue
            upto = self.at[number] + rng.randint(1, 3)
            with suppress(StoreUnavailableError):  # a write conflict with the switch
                self.helpers.apply_all(store, 0, self.messages[self.at[number] - 1 : upto])
                self.at[number] = min(upto, len(self.messages))

    def read(self):
        seen = 0
        while not self.stop.is_set():
            live, reached = self.store_scene.at_once()
            if reached[live] < seen:
                self.taken_back.append(f"sequence {reached[live]} of generation {live} after {seen}")
            seen = max(seen, reached[live])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(120)


@pytest.mark.parametrize("seed", range(4))
def test_the_target_is_never_behind_at_the_moment_of_a_switch(two, story, author, helpers, seed):
    """A reader who has seen a sequence is never shown a lower one, however writers of both generations race."""
    for _ in range(200):
        story.followed(author(), two.bob, partition=0)
    done = refused = 0
    with Race(two, story.messages[0], helpers, seed) as race:
        while not race.over:
            try:
                two.generations.switch(3 - two.at_once()[0])
                done += 1
            except BehindError:
                refused += 1
    assert not race.taken_back, f"seed {seed}: {race.taken_back[:3]}"
    assert min(done, refused) >= 3, f"seed {seed}: {done} done, {refused} refused"


def test_what_is_forgotten_is_deleted_and_the_rest_stays(two):
    """Its views go in steps, the registry entry last; the other generation has all of its own."""
    with pytest.raises(GenerationError, match="generation 1 is live"):
        two.generations.forget(1)
    kept = sorted(map(str, two.left_of(1)))
    two.generations.forget(2)
    with pytest.raises(GenerationError, match="deleting, not active"):
        two.generations.switch(2)
    assert list(two.generations.clear(2))
    two.generations.remove(2)
    assert two.left_of(2) == []
    assert sorted(map(str, two.left_of(1))) == kept
    assert set(two.generations.registry().generations) == {1}


def test_the_first_generation_can_be_forgotten_too(two, author, story, helpers):
    """Its keys and documents are deleted, though the registry is among them."""
    two.generations.switch(2)
    two.generations.forget(1)
    assert list(two.generations.clear(1))
    two.generations.remove(1)
    registry = two.generations.registry()
    assert (registry.live, registry.previous, set(registry.generations)) == (2, None, {2})
    with pytest.raises(ForgottenError):
        helpers.apply_all(two.first, 0, story.messages[0])
    story.followed(author(), two.bob, partition=0)
    assert helpers.apply_all(two.second, 0, story.messages[0]).checkpoint.sequence == 4


@pytest.mark.parametrize("when", ["marked", "cleared", "deleted"])
def test_a_consumer_of_a_forgotten_generation_brings_nothing_back(two, story, author, helpers, when):
    """At no moment of a deletion does a batch land, be it the next one or the log from its beginning."""
    two.generations.forget(2)
    if when != "marked":
        assert list(two.generations.clear(2))
    if when == "deleted":
        two.generations.remove(2)
    left = sorted(map(str, two.left_of(2)))
    story.followed(author(), two.bob, partition=0)
    for messages in (story.messages[0], story.messages[0][3:]):
        items = helpers.items_of(two.second, messages)
        with pytest.raises(ForgottenError):
            helpers.apply(two.second, Batch(partition=0, topic_id="topic", items=items))
    if two.name == "mongo":
        with pytest.raises(ForgottenError):
            two.second.prepare()
    else:
        with pytest.raises(ForgottenError):
            two.second.tasks.serve(0)
    assert sorted(map(str, two.left_of(2))) == left


@pytest.mark.parametrize("seed", range(3))
def test_forgetting_beside_a_writer_leaves_nothing(two, story, author, helpers, seed):
    """A writer that never pauses, at seeded moments of a deletion, leaves no key and no document."""
    rng = random.Random(seed)
    for _ in range(500):
        story.followed(author(), two.bob, partition=0)
    started, ended = threading.Event(), []

    def write():
        at = 3
        while at < len(story.messages[0]):
            started.set()
            try:
                helpers.apply_all(two.second, 0, story.messages[0][at - 1 : at + 2])
            except StoreUnavailableError:
                continue
            except ForgottenError:
                ended.append(at)
                return
            at += 2

    writer = threading.Thread(target=write)
    writer.start()
    started.wait(120)
    threading.Event().wait(rng.random() * 0.05)
    two.generations.forget(2)
    assert list(two.generations.clear(2))
    two.generations.remove(2)
    writer.join(120)
    assert ended, f"seed {seed}: the writer went on"
    assert two.left_of(2) == []


def test_a_switch_is_refused_while_a_fan_out_waits_that_the_live_one_has_done(
    on_redis, story, author, helpers, compared
):
    """A cheep that readers have seen in their timelines stays there; tasks that both have waiting are no hindrance."""
    store_scene = on_redis
    store_scene.generations.register(1)
    store_scene.generations.create(1)
    store_scene.generations.activate(2)
    compared(store_scene.generations, 2)
    stores = [store_scene.store(number, inline_max=0, slice_size=2) for number in (1, 2)]
    bob = author()
    for _ in range(5):
        story.followed(author(), bob, partition=0)
    story.posted(bob, partition=0)
    for store in stores:
        helpers.apply_all(store, 0, story.messages[0])
    store_scene.generations.switch(2)
    store_scene.generations.switch(1)
    stores[0].tasks.serve(0)
    with pytest.raises(BehindError, match="a fan-out task waiting that the live one has done: sequence 6"):
        store_scene.generations.switch(2)
    stores[1].tasks.serve(0)
    store_scene.generations.switch(2)
    store_scene.generations.switch(1)
    while stores[0].tasks.partitions_with_tasks({0}):
        stores[0].tasks.serve(0)
    with pytest.raises(BehindError, match="sequence 6 of partition 0"):
        store_scene.generations.switch(2)
    while stores[1].tasks.partitions_with_tasks({0}):
        stores[1].tasks.serve(0)
    store_scene.generations.switch(2)


def test_a_wiped_store_begins_anew(on_redis, redis_prefix, redis, story, author, helpers):
    """If the registry is lost with all else, the first generation is written again, and no other."""
    store_scene = on_redis
    store_scene.generations.register(1)
    store_scene.generations.create(1)
    second = store_scene.store(2)
    redis.delete(registry_key(redis_prefix))
    story.followed(author(), author(), partition=0)
    with pytest.raises(ForgottenError):
        helpers.apply_all(second, 0, story.messages[0])
    assert helpers.apply_all(store_scene.store(1), 0, story.messages[0]).checkpoint.sequence == 1
