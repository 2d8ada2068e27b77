"""The audit: it finds nothing in a healthy stack, exactly what is damaged in another one, repairs that, and raises no
alarm over lag.
"""

import asyncio
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial

import pytest
import redis
from bson import ObjectId
from pymongo import MongoClient

from cheeper_contracts import views
from cheeper_contracts.views import generations
from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.actions.sender import wait_until_settled
from cheeper_e2e.authors import expect_accepted, new_id, projected, sign_up
from cheeper_e2e.http.client import Client
from cheeper_e2e.http.parallel import in_parallel
from cheeper_local.running import RunningStack
from cheeper_local.waiting import until

pytestmark = [pytest.mark.proves(guarantee="audit"), pytest.mark.local, pytest.mark.takes(seconds=5)]

MEMBERS = 30
PROLIFIC = views.TIMELINE_ENTRIES + 40
UNKNOWN = "00000000-0000-4000-8000-00000000beef"
EQUAL, DIFFERENT, NOT_TRIED, NOT_AT_REST = 0, 1, 2, 3


class Scene:
    """A stack with a circle of members: each follows the next and the hub, has three cheeps, one edited, one deleted,
    and has answered the hub. Somebody prolific has more cheeps than the timelines of those who follow take.
    """

    def __init__(self, stack):
        self.stack = stack
        self.environment = stack.environment
        self.redis = redis.Redis.from_url(self.environment["REDIS_URL"], protocol=2)
        self.mongo = MongoClient(self.environment["MONGO_URL"])
        self.documents = self.mongo[self.environment["MONGO_DATABASE"]]
        self.members, self.cheeps, self.deleted = [], {}, {}
        self.prolific = self.reader = None

    async def fill(self):
        async with Client(self.stack.gateway, patience=60) as client:
            hub, self.prolific, self.reader = [(await sign_up(client, visible=False)).author_id for _ in range(3)]
            self.members = [(await sign_up(client, visible=False)).author_id for _ in range(MEMBERS)]
            stderr = (await projected(client, await client.post_cheep(hub, "Ask me anything"))).data["cheep_id"]
            actions = [action for me in self.members for action in self.actions(client, me, hub, stderr)]
            actions += [[partial(client.follow, self.reader, self.prolific)]]
            actions += [[partial(client.post_cheep, self.prolific, f"Number {n}")] for n in range(PROLIFIC)]
            replies = []
            await in_parallel((partial(self.one_by_one, action, replies) for action in actions), 20)
            await wait_until_settled(client, replies, time.monotonic() + 120)
        notified = 5 * MEMBERS + 4  # a welcome each, a new follower for each follow, an answer for each answer
        until(lambda: self.documents[views.NOTIFICATIONS.name].count_documents({}) == notified, what="all are notified")

    def actions(self, client, me, hub, stderr):
        """Return a member's commands: lists that must be sent in order."""
        following = self.members[(self.members.index(me) + 1) % MEMBERS]
        self.cheeps[me] = kept = new_id()
        self.deleted[me] = deleted = new_id()
        return [
            [partial(client.follow, me, following)],
            [partial(client.follow, me, hub)],
            [partial(client.follow, hub, me), partial(client.unfollow, hub, me)],
            [partial(client.update_profile, me, name="Zoë", bio="Hé")],
            [
                partial(client.post_cheep, me, "Élan", cheep_id=kept),
                partial(client.post_cheep, me, "Hélas", cheep_id=deleted),
                partial(client.update_cheep, kept, me, "Élan vital"),
                partial(client.delete_cheep, deleted, me),
                partial(client.answer_cheep, stderr, me, "Why?"),
            ],
        ]

    async def one_by_one(self, requests, replies):
        for request in requests:
            reply = await request()
            expect_accepted(reply)
            replies.append(reply.message_id)

    def key(self, pattern, identifier):
        return pattern.key(self.environment.get("REDIS_PREFIX", ""), identifier)

    def change_list(self, pattern, owner, change):
        """Replace a list by what `change` makes of it."""
        key = self.key(pattern, owner)
        changed = change(self.redis.lrange(key, 0, -1))
        self.redis.delete(key)
        self.redis.rpush(key, *changed)


def audit(scene, *options, **environment):
    """Run the program on the scene's stack. Return its exit code, its differences and what it logs."""
    command = [sys.executable, "-m", "cheeper_audit", "--json", *options]
    settings = {"PATH": "", **scene.environment, **environment}
    ran = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr


class Beside:
    """A second generation of both stores, copied from the first while nothing moves."""

    def __init__(self, scene):
        self.scene = scene
        self.prefix, self.database = scene.environment.get("REDIS_PREFIX", ""), scene.environment["MONGO_DATABASE"]
        self.two = scene.mongo[generations.database_of(self.database, 2)]
        stem, other = (views.stem(generations.prefix_of(self.prefix, number)) for number in (1, 2))
        for key in list(scene.redis.scan_iter(f"{stem}*")):
            if key != generations.registry_key(self.prefix).encode():
                scene.redis.copy(key, key.replace(stem.encode(), other.encode(), 1))
        for collection in views.COLLECTIONS:
            if documents := list(scene.documents[collection.name].find()):
                self.two[collection.name].insert_many(documents)
        entry = {"number": 2, "state": "building", "made_at": 0}
        in_redis = json.dumps({**entry, "version": generations.VERSIONS["redis"]})
        scene.redis.hset(generations.registry_key(self.prefix), "generation:2", in_redis)
        self._register({"$set": {"generations.2": {**entry, "version": generations.VERSIONS["mongo"]}}})

    def switch(self, store, number):
        """Make a generation of a store live."""
        if store == "redis":
            self.scene.redis.hset(generations.registry_key(self.prefix), generations.LIVE, number)
        else:
            self._register({"$set": {generations.LIVE: number}})

    @contextmanager
    def shown(self, store):
        """The scene's hands reach into the second generation of a store meanwhile."""
        scene = self.scene
        before = scene.environment, scene.documents
        if store == "redis":
            scene.environment = {**scene.environment, "REDIS_PREFIX": generations.prefix_of(self.prefix, 2)}
        else:
            scene.documents = self.two
        yield
        scene.environment, scene.documents = before

    def _register(self, update):
        registry = self.scene.mongo[self.database][generations.REGISTRY]
        registry.update_one({"_id": generations.REGISTRY_ID}, update, upsert=True)

    def forget(self):
        """Only the first is left, registered as before."""
        scene = self.scene
        for store in ("redis", "mongo"):
            self.switch(store, 1)
        scene.redis.hdel(generations.registry_key(self.prefix), "generation:2")
        self._register({"$unset": {"generations.2": ""}})
        scene.redis.delete(*scene.redis.scan_iter(views.stem(generations.prefix_of(self.prefix, 2)) + "*"))
        scene.mongo.drop_database(self.two.name)


@pytest.fixture
def beside(scene):
    yield (made := Beside(scene))
    made.forget()


def places(differences):
    return sorted((each["store"], each["view"], each["id"]) for each in differences)


@pytest.fixture(scope="module")
def scene():
    """A stack of these tests alone, since they damage it."""
    with RunningStack.temporary() as stack:
        made = Scene(stack)
        asyncio.run(made.fill())
        yield made
        made.redis.close()
        made.mongo.close()


def member(_, me):
    return me


# --- damage: each takes a member's views, and hands back what the audit must name ------------------------------------


def in_hash(*command):
    def damage(scene, me):
        verb, *rest = command
        scene.redis.execute_command(verb, scene.key(views.AUTHOR_COUNTERS, me), *rest)
        return "redis", "author", me

    return damage


def in_set(pattern, *command):
    def damage(scene, me):
        verb, *rest = command
        key = scene.key(pattern, me)
        first = scene.redis.zrange(key, 0, 0)[0]
        scene.redis.execute_command(verb, key, *(first if each == "first" else each for each in rest))
        return "redis", pattern.name, me

    return damage


def in_list(pattern, change):
    def damage(scene, me):
        scene.change_list(pattern, me, change)
        return "redis", pattern.name, me

    return damage


def in_record(text):
    def damage(scene, me):
        key = scene.key(views.CHEEP_RECORD, scene.cheeps[me])
        if text is None:
            scene.redis.delete(key)
        else:
            scene.redis.set(key, text(scene.redis.get(key)))
        return "redis", "cheep", scene.cheeps[me]

    return damage


def of_type(pattern):
    def damage(scene, me):
        owner = scene.cheeps[me] if pattern is views.CHEEP_RECORD else me
        scene.redis.delete(scene.key(pattern, owner))
        if pattern is views.CHEEP_RECORD:
            scene.redis.rpush(scene.key(pattern, owner), "x")
        else:
            scene.redis.set(scene.key(pattern, owner), "x")
        return "redis", pattern.name, owner

    return damage


def record_of_a_deleted_cheep(scene, me):
    record = scene.redis.get(scene.key(views.CHEEP_RECORD, scene.cheeps[me]))
    scene.redis.set(scene.key(views.CHEEP_RECORD, scene.deleted[me]), record)
    return "redis", "cheep", scene.deleted[me]


def own_cheep_in_the_timeline(scene, me):
    [own] = scene.redis.zrange(scene.key(views.AUTHOR_CHEEPS, me), -1, -1)
    scene.change_list(views.TIMELINE, me, lambda listed: sorted([own, *listed], reverse=True))
    return "redis", "timeline", me


def floor_that_is_none(scene, me):
    scene.redis.set(scene.key(views.TIMELINE_FLOOR, me), "low")
    return "redis", "timeline", me


def floor_too_high(scene, me):
    newest = scene.redis.lindex(scene.key(views.TIMELINE, me), 0)
    scene.redis.set(scene.key(views.TIMELINE_FLOOR, me), newest)
    return "redis", "timeline", me


def no_floor_where_entries_were_left_out(scene, _):
    assert scene.redis.delete(scene.key(views.TIMELINE_FLOOR, scene.reader))
    return "redis", "timeline", scene.reader


def orphan_key(name):
    def damage(scene, _):
        key = views.stem(scene.environment.get("REDIS_PREFIX", "")) + name
        scene.redis.set(key, "x")
        return "redis", "orphan", name

    return damage


def in_document(collection, change, of=member):
    def damage(scene, me):
        [document] = scene.documents[collection.name].find({"_id": of(scene, me)})
        scene.documents[collection.name].replace_one({"_id": document["_id"]}, document | change)
        return "mongo", collection.name, document["_id"]

    return damage


def no_document(collection, of=member):
    def damage(scene, me):
        identifier = of(scene, me)
        assert scene.documents[collection.name].delete_one({"_id": identifier}).deleted_count
        return "mongo", collection.name, identifier

    return damage


def without_fields(collection, *names):
    def damage(scene, me):
        scene.documents[collection.name].update_one({"_id": me}, {"$unset": dict.fromkeys(names, "")})
        return "mongo", collection.name, me

    return damage


def orphan_document(collection, identifier):
    def damage(scene, _):
        scene.documents[collection.name].insert_one({"_id": identifier, "author_id": UNKNOWN})
        shown = identifier if isinstance(identifier, str) else repr(identifier)
        return "mongo", collection.name, shown

    return damage


def kept_cheep(scene, me):
    return scene.cheeps[me]


def deleted_cheep(scene, me):
    return scene.deleted[me]


def pair(scene, me):
    return f"{me} {scene.members[(scene.members.index(me) + 1) % MEMBERS]}"


def notification(scene, me):
    return scene.documents[views.NOTIFICATIONS.name].find_one({"author_id": me})["_id"]


def swapped(listed):
    return [listed[1], listed[0], *listed[2:]]


STRANGE = views.pack_entry(1, UNKNOWN)

DAMAGE = {
    "a counter": in_hash("HINCRBY", "followers", 1),
    "a missing counter": in_hash("HDEL", "cheeps"),
    "no username": in_hash("HDEL", "username"),
    "one field too many": in_hash("HSET", "likes", "3"),
    "no hash": in_hash("DEL"),
    "a hash of another type": of_type(views.AUTHOR_COUNTERS),
    "a follower missing": in_set(views.FOLLOWERS, "ZREM", "first"),
    "a follower too many": in_set(views.FOLLOWERS, "ZADD", 0, UNKNOWN),
    "a follower out of order": in_set(views.FOLLOWERS, "ZADD", 1, "first"),
    "no followers": in_set(views.FOLLOWERS, "DEL"),
    "followers of another type": of_type(views.FOLLOWERS),
    "a followed author missing": in_set(views.FOLLOWING, "ZREM", "first"),
    "a followed author too many": in_set(views.FOLLOWING, "ZADD", 0, UNKNOWN),
    "another text": in_record(lambda text: text.replace(b"vital", b"brutal")),
    "no record": in_record(None),
    "a record that is no JSON": in_record(lambda text: text[:-1]),
    "a record in another order": in_record(lambda text: json.dumps(dict(reversed(json.loads(text).items()))).encode()),
    "a record of a deleted cheep": record_of_a_deleted_cheep,
    "a record of another type": of_type(views.CHEEP_RECORD),
    "an own cheep missing": in_set(views.AUTHOR_CHEEPS, "ZREM", "first"),
    "an own cheep too many": in_set(views.AUTHOR_CHEEPS, "ZADD", 0, STRANGE),
    "own cheeps out of order": in_set(views.AUTHOR_CHEEPS, "ZADD", 1, "first"),
    "own cheeps of another type": of_type(views.AUTHOR_CHEEPS),
    "an entry missing": in_list(views.TIMELINE, lambda listed: listed[:-1]),
    "an entry of no cheep": in_list(views.TIMELINE, lambda listed: [*listed, STRANGE]),
    "an entry of an author who is not followed": own_cheep_in_the_timeline,
    "entries out of order": in_list(views.TIMELINE, swapped),
    "entries that are none": in_list(views.TIMELINE, lambda listed: [*listed, b"x"]),
    "a timeline of another type": of_type(views.TIMELINE),
    "a floor that is none": floor_that_is_none,
    "a floor too high": floor_too_high,
    "no floor": no_floor_where_entries_were_left_out,
    "an orphan author": orphan_key(f"author:{UNKNOWN}"),
    "an orphan timeline": orphan_key(f"timeline:{UNKNOWN}"),
    "an orphan cheep": orphan_key(f"cheep:{UNKNOWN}"),
    "a key of no view": orphan_key("likes:1"),
    "another bio": in_document(views.AUTHORS, {"bio": "Ho"}),
    "a count": in_document(views.AUTHORS, {"followers": 9}),
    "other words": in_document(views.AUTHORS, {"words": []}),
    "a field too many": in_document(views.AUTHORS, {"likes": 3}),
    "no profile": without_fields(views.AUTHORS, "username", "signed_up_at"),
    "no author": no_document(views.AUTHORS),
    "another time of a follow": in_document(views.FOLLOWS, {"followed_at": 1}, pair),
    "no follow": no_document(views.FOLLOWS, pair),
    "another message": in_document(views.CHEEPS, {"message": "Ho"}, kept_cheep),
    "other words of a cheep": in_document(views.CHEEPS, {"words": ["ho"]}, kept_cheep),
    "no cheep": no_document(views.CHEEPS, kept_cheep),
    "a deleted cheep that lives": in_document(views.CHEEPS, {"author_id": UNKNOWN, "message": "Ho"}, deleted_cheep),
    "another notification": in_document(views.NOTIFICATIONS, {"kind": "answer"}, notification),
    "no notification": no_document(views.NOTIFICATIONS, notification),
    "a follow of unknown authors": orphan_document(views.FOLLOWS, f"{UNKNOWN} {UNKNOWN}"),
    "an unknown author": orphan_document(views.AUTHORS, UNKNOWN),
    "an unknown cheep": orphan_document(views.CHEEPS, "no id"),
    "an unknown notification": orphan_document(views.NOTIFICATIONS, "zzz"),
    "a document by another kind of id": orphan_document(views.CHEEPS, ObjectId("0" * 24)),
}


# --- tests -----------------------------------------------------------------------------------------------------------


def test_a_healthy_stack_has_no_difference(scene):
    """Exit code 0 and not a line, of a stack that has seen each command."""
    code, differences, stderr = audit(scene, "--patience", "60")
    assert (code, differences) == (EQUAL, []), stderr
    assert f"{MEMBERS + 3} authors" in stderr
    assert scene.redis.exists(scene.key(views.TIMELINE_FLOOR, scene.reader)), "the scene has a timeline with a floor"


def test_all_damage_is_named_and_repaired(scene):
    """Whatever key or document is damaged is named, and nothing else; `--repair` repairs it, and then all is equal."""
    damaged = {}
    for number, (kind, damage) in enumerate(DAMAGE.items()):
        # Two kinds that damage the same view have different members.
        damaged[damage(scene, scene.members[number % MEMBERS])] = kind
    assert len(damaged) == len(DAMAGE)
    code, differences, stderr = audit(scene)
    assert {damaged[place] for place in damaged.keys() - set(places(differences))} == set(), stderr
    assert (code, places(differences)) == (DIFFERENT, sorted(damaged)), stderr
    assert all(each["faults"] and not each["repaired"] for each in differences)
    code, repaired, stderr = audit(scene, "--repair")
    assert (code, places(repaired)) == (EQUAL, sorted(damaged)), stderr
    assert all(each["repaired"] for each in repaired)
    assert audit(scene)[:2] == (EQUAL, [])


def test_entries_of_deleted_cheeps_may_stay_in_a_timeline(scene):
    """Readers pass over them, so they are no difference."""
    me, other = scene.members[:2]
    document = scene.documents[views.CHEEPS.name].find_one({"_id": scene.deleted[other]})
    dead = views.pack_entry(document["deleted_at"], scene.deleted[other])
    scene.change_list(views.TIMELINE, me, lambda listed: sorted([dead, *listed], reverse=True))
    assert audit(scene)[:2] == (EQUAL, [])


def test_another_generation_is_audited_before_it_is_shown(scene, beside):
    """`--generation` names what differs there and repairs it, while the live one has no difference; once it is live it
    is what is audited.
    """
    me = scene.members[3]
    for store, damage in (("redis", in_hash("HINCRBY", "cheeps", 2)), ("mongo", no_document(views.AUTHORS))):
        with beside.shown(store):
            place = damage(beside.scene, me)
        assert audit(scene, "--store", store)[:2] == (EQUAL, [])
        other = ("--store", store, "--generation", "2")
        code, differences, stderr = audit(scene, *other)
        assert (code, places(differences)) == (DIFFERENT, [place]), stderr
        beside.switch(store, 2)
        code, differences, stderr = audit(scene)
        assert (code, places(differences)) == (DIFFERENT, [place]), stderr
        assert f"{store} generation 2" in stderr
        beside.switch(store, 1)
        code, repaired, stderr = audit(scene, *other, "--repair")
        assert (code, places(repaired)) == (EQUAL, [place]), stderr
        assert audit(scene, *other)[:2] == (EQUAL, [])
    code, differences, stderr = audit(scene, "--store", "redis", "--generation", "3")
    assert (code, differences) == (NOT_TRIED, [])
    assert "no generation 3" in stderr


async def one_more(scene):
    """A sign-up, which is in the write model when it is answered."""
    async with Client(scene.stack.gateway, patience=60) as client:
        await sign_up(client, visible=False)


def test_lag_is_no_difference(scene):
    """If a store lags, the audit reports the lag by partition, names no difference, and repairs nothing."""
    scene.stack.stop_process("projector")
    try:
        asyncio.run(one_more(scene))
        code, differences, stderr = audit(scene, "--repair", "--patience", "1")
    finally:
        scene.stack.start_process("projector")
    assert (code, differences) == (NOT_AT_REST, []), stderr
    assert "Not at rest" in stderr
    assert "redis partition" in stderr
    assert "mongo partition" in stderr
    assert audit(scene, "--patience", "60")[:2] == (EQUAL, [])


async def audit_under_load(scene, seed, *options):
    """Run the program while a random traffic goes on."""
    async with Client(scene.stack.gateway, patience=60) as client:
        traffic = asyncio.create_task(RandomTraffic(client, seed).send(100_000, 5))
        try:
            return await asyncio.to_thread(audit, scene, *options)
        finally:
            traffic.cancel()


@pytest.mark.extended
@pytest.mark.takes(seconds=45)
def test_watching_under_load_distinguishes_damage_from_lag(scene):
    """A random traffic raises no alarm; a damaged document is named in the middle of it, and no other."""
    watch = ("--watch", "--seed", "1", "--for")
    code, differences, stderr = asyncio.run(audit_under_load(scene, 1, *watch, "10"))
    assert (code, differences) == (EQUAL, []), stderr
    assert "sequences behind" in stderr
    place = in_document(views.AUTHORS, {"bio": "Ho"})(scene, scene.members[7])
    code, differences, stderr = asyncio.run(audit_under_load(scene, 2, *watch, "20"))
    assert (code, places(differences)) == (DIFFERENT, [place]), stderr
    code, repaired, stderr = audit(scene, "--repair", "--patience", "60")
    assert (code, places(repaired)) == (EQUAL, [place]), stderr


def test_an_audit_in_service_distinguishes_damage_from_lag(scene):
    """Everything is compared once in the middle of a random traffic, and what is damaged is named, and no other."""
    code, differences, stderr = asyncio.run(audit_under_load(scene, 3, "--in-service"))
    assert (code, differences) == (EQUAL, []), stderr
    assert "in 14 views of redis generation 1, mongo generation 1" in stderr
    place = in_document(views.AUTHORS, {"bio": "Ho"})(scene, scene.members[8])
    code, differences, stderr = asyncio.run(audit_under_load(scene, 4, "--in-service"))
    assert (code, places(differences)) == (DIFFERENT, [place]), stderr
    code, repaired, stderr = audit(scene, "--repair", "--patience", "60")
    assert (code, places(repaired)) == (EQUAL, [place]), stderr


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://somebody:secret@127.0.0.1:9/none"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:9"),
        ("MONGO_URL", "mongodb://somebody:secret@127.0.0.1:9/?serverSelectionTimeoutMS=500"),
        ("DATABASE_URL", "postgresql://secret:secret:secret/"),
        ("REDIS_URL", "redis://127.0.0.1:secret"),
        ("MONGO_URL", "mongodb://secret@secret@secret"),
        ("MONGO_URL", ""),
        ("REDIS_URL", "http://127.0.0.1:9"),
    ],
)
def test_what_cannot_be_reached_is_named(scene, name, url):
    """Exit code 2 and one sentence with the setting's name, without what it holds."""
    code, differences, stderr = audit(scene, **{name: url})
    assert (code, differences) == (NOT_TRIED, [])
    assert name in stderr
    assert "secret" not in stderr
    assert len(stderr.splitlines()) == 1
