"""Two generations beside each other: what differs to readers is found, and what is only late is not told of."""

import random
import threading

import msgspec
import pytest
import redis as redis_client
from pymongo import MongoClient

from cheeper_contracts import views
from cheeper_contracts.generations import database_of, prefix_of
from projector.generations.comparison import compare
from projector.stores.mongo.generations import MongoGenerations
from projector.stores.mongo.sides import MongoSides
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.generations import RedisGenerations
from projector.stores.redis.sides import RedisSides
from projector.stores.redis.store import RedisSettings, RedisStore

pytestmark = pytest.mark.proves(guarantee="rebuild")

CAP = 10


class TwoOnRedis:
    name = "redis"

    def __init__(self, client, prefix):
        self.client, self.prefix = client, prefix
        generations = RedisGenerations(client, prefix)
        generations.register(1)
        generations.create(1)
        self.stores = [
            RedisStore(
                client,
                RedisSettings(
                    prefix=prefix_of(prefix, number),
                    generation=number,
                    installation=prefix,
                    # Trimmed, filled and told of by tasks each in its own way, which readers do not see.
                    inline_max=1_000 if number == 1 else 1,
                    slice_size=1_000 if number == 1 else 2,
                    cap=CAP if number == 1 else CAP + 6,
                ),
            )
            for number in (1, 2)
        ]
        self.sides = RedisSides(client, prefix, 1, 2)

    def tasks(self):
        for store in self.stores:
            store.checkpoints(range(8))
            for partition in store.partitions_with_tasks():
                while store.serve(partition) is not None:
                    pass

    def key(self, pattern, name):
        return pattern.key(prefix_of(self.prefix, 2), name)


class TwoOnMongo:
    name = "mongo"

    def __init__(self, client, database):
        self.database = client[database_of(database, 2)]
        generations = MongoGenerations(client, database)
        generations.register(1)
        generations.create(1)
        self.stores = [MongoStore(client, database, number) for number in (1, 2)]
        for store in self.stores:
            store.prepare()
        self.sides = MongoSides(client, database, 1, 2)

    def tasks(self):
        """MongoDB has none."""


@pytest.fixture
def two_on_redis(redis_url, redis_prefix):
    with redis_client.Redis.from_url(redis_url) as client:
        yield TwoOnRedis(client, redis_prefix)


@pytest.fixture
def two_on_mongo(mongo_url, mongo_database):
    with MongoClient(mongo_url) as client:
        yield TwoOnMongo(client, mongo_database)
        client.drop_database(database_of(mongo_database, 2))


@pytest.fixture(params=["redis", "mongo"])
def two(request):
    return request.getfixturevalue(f"two_on_{request.param}")


@pytest.fixture
def live_together(story, author):
    """A random history of one partition, seeded: who follows, unfollows, posts, answers, edits and deletes."""

    def tell(seed, length):
        rng = random.Random(seed)
        everyone = [author() for _ in range(5)]
        for one in everyone:
            story.signed(one, partition=0)
        cheeps = []
        for _ in range(length):
            one, other = rng.sample(everyone, 2)
            act = rng.random()
            if act < 0.2:
                story.followed(one, other, partition=0)
            elif act < 0.25:
                story.unfollowed(one, other, partition=0)
            elif act < 0.75 or len(cheeps) < 2:
                cheeps.append(story.posted(one, partition=0).event)
            elif act < 0.85:
                cheeps.append(story.answered(one, rng.choice(cheeps), partition=0).event)
            elif act < 0.92:
                story.updated(rng.choice(cheeps), "better so", partition=0)
            else:
                story.deleted(cheeps.pop(rng.randrange(len(cheeps))), partition=0)
        return everyone, cheeps

    return tell


def both(two, story, tell):
    for store in two.stores:
        tell.apply_all(store, 0, story.messages[0])
    two.tasks()


@pytest.mark.parametrize("seed", range(3))
def test_equal_generations_differ_in_nothing(two, story, tell, live_together, seed):
    """Floors, trimmings, dead entries and places in the log are no differences: readers do not see them."""
    live_together(seed, 150)
    both(two, story, tell)
    found = compare(two.sides)
    assert found.equal, f"seed {seed}: {list(found.lines())}"
    assert not found.undecided
    assert found.compared.total() > 100


def test_each_planted_difference_of_keys_is_found(two_on_redis, story, tell, live_together):
    """A wrong value, a key too few and a key too many, of every pattern that readers see, each by name and id."""
    two = two_on_redis
    (one, other, *_), cheeps = live_together(7, 120)
    both(two, story, tell)
    gone, changed = cheeps[0].cheep_id, cheeps[1].cheep_id
    client, stranger = two.client, "00000000-0000-4000-8000-00000000beef"
    command = next(client.scan_iter(two.key(views.COMMAND_RECORD, "*"))).decode().rpartition(":")[2]
    newest = views.pack_entry(tell.now * 2, cheeps[-1].cheep_id)
    plants = {
        "author.cheeps": (one, lambda: client.hincrby(two.key(views.AUTHOR_COUNTERS, one), "cheeps", 1)),
        "author.username": (other, lambda: client.hdel(two.key(views.AUTHOR_COUNTERS, other), "username")),
        "followers": (stranger, lambda: client.zadd(two.key(views.FOLLOWERS, stranger), {one: 0})),
        "following": (one, lambda: client.zadd(two.key(views.FOLLOWING, one), {stranger: 0})),
        "cheep is missing": (gone, lambda: client.delete(two.key(views.CHEEP_RECORD, gone))),
        "cheep": (changed, lambda: client.set(two.key(views.CHEEP_RECORD, changed), "{}")),
        "cheeps": (one, lambda: client.lpush(two.key(views.AUTHOR_CHEEPS, one), newest)),
        "timeline": (other, lambda: client.lpush(two.key(views.TIMELINE, other), newest)),
        "command is missing": (command, lambda: client.delete(two.key(views.COMMAND_RECORD, command))),
        "parked is surplus": (stranger, lambda: client.rpush(two.key(views.PARKED, stranger), parked_of(story))),
    }
    for _, plant in plants.values():
        plant()
    found = compare(two.sides)
    told = {line.partition(" differs in ")[0].partition(" in ")[0]: line for line in list(found.lines())[:-1]}
    assert told.keys() == plants.keys()
    for what, (name, _) in plants.items():
        assert told[what].endswith(f"first {name}"), told[what]
    assert set(found.differing.values()) == {1}


def parked_of(story):
    from projector.consumer.decoding import decode
    from projector.parked.message import parked

    return msgspec.json.encode(parked(decode(story.messages[0][0]), "topic", why="planted", behind=False))


def test_each_planted_difference_of_documents_is_found(two_on_mongo, story, tell, live_together):
    """A changed field, a document too few and one too many, in every collection that readers see."""
    two = two_on_mongo
    live_together(7, 120)
    both(two, story, tell)
    database = two.database
    shown = [one for one in views.COLLECTIONS if one not in {views.CHECKPOINTS, views.PARKED_MESSAGES}]
    expected = set()
    for collection in shown:
        documents = list(database[collection.name].find({"deleted_at": None}).sort("_id", 1).limit(2))
        if len(documents) == 2:
            field = "followers" if collection is views.AUTHORS else next(key for key in documents[0] if key != "_id")
            database[collection.name].update_one({"_id": documents[0]["_id"]}, {"$set": {field: "planted"}})
            database[collection.name].delete_one({"_id": documents[1]["_id"]})
            expected |= {f"{collection.name}.{field} differs", f"{collection.name} is missing"}
        database[collection.name].insert_one({"_id": "planted"})
        expected.add(f"{collection.name} is surplus")
    found = compare(two.sides)
    assert {line.rpartition(" in ")[0] for line in list(found.lines())[:-1]} == expected
    assert set(found.differing.values()) == {1}


@pytest.mark.parametrize("seed", range(2))
def test_what_is_late_is_no_difference(two, story, tell, live_together, seed):
    """While both go on, now the one ahead and now the other, nothing is told of but what is planted."""
    live_together(seed, 250)
    messages, stop = story.messages[0], threading.Event()
    at = [40, 40]
    for store in two.stores:
        tell.apply_all(store, 0, messages[:40])

    def write(which, rng):
        while not stop.is_set() and at[which] < len(messages):
            if at[which] > at[1 - which] + 5:
                stop.wait(0.001)
                continue
            upto = min(at[which] + rng.randint(1, 5), len(messages))
            tell.apply_all(two.stores[which], 0, messages[at[which] : upto])
            at[which] = upto
            if two.name == "redis":
                two.stores[which].serve(0)
        while two.name == "redis" and two.stores[which].serve(0) is not None:
            pass

    threads = [threading.Thread(target=write, args=(which, random.Random(seed * 2 + which))) for which in (0, 1)]
    for thread in threads:
        thread.start()
    rounds = 0
    try:
        while any(thread.is_alive() for thread in threads):
            found = compare(two.sides)
            assert found.equal, f"seed {seed}: {list(found.lines())}"
            rounds += 1
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert rounds
    assert compare(two.sides).equal
