"""Fan-out to 20,000 followers in slices, with other keys' events in between: none is missed, none is served twice."""

import os
import subprocess
import sys
from random import Random

import pytest
import redis as redis_client

from cheeper_contracts import views
from cheeper_local.servers import Redis
from cheeper_local.waiting import until
from projector.stores.redis.scripts import RedisSettings
from projector.stores.redis.store import RedisStore
from projector.stores.task_store import Slice

FOLLOWERS = 20_000
BOB, CAROL = "b0b00000-0000-4000-8000-000000000000", "ca401000-0000-4000-8000-000000000000"
PARTITION = 0


def reader(number):
    """An id whose place in the set of followers is its number's."""
    return f"{number:08x}-0000-4000-8000-000000000000"


READERS = [reader(2 * number) for number in range(FOLLOWERS)]


class FanOut:
    """Bob and his followers in a store, and what its readers have."""

    def __init__(self, client, helpers):
        self._client, self._helpers = client, helpers
        self.story = helpers.Story()
        self.store = self.another_process()

    def another_process(self):
        """A store that remembers nothing, as after a start."""
        self.store = RedisStore(self._client, RedisSettings(prefix="", inline_max=1_000, slice_size=1_000))
        self.store.checkpoints([PARTITION])
        return self.store

    def gather_followers(self):
        """The set as 20,000 follows leave it."""
        for first in range(0, FOLLOWERS, 1_000):
            some = dict.fromkeys(READERS[first : first + 1_000], 0)
            self._client.zadd(views.FOLLOWERS.key("", BOB), some)
        self.apply_log(self.story.followed(READERS[0], CAROL, partition=PARTITION))

    def apply_log(self, *_published):
        """Applies all of the log that the store does not have, and some of what it has."""
        messages = self.story.messages[PARTITION]
        done = self.store.checkpoints([PARTITION])[PARTITION].sequence
        self._helpers.apply_all(self.store, PARTITION, messages[max(0, done - 2) :])

    def others(self):
        """Apply an event of another key of the partition."""
        self.apply_log(self.story.posted(CAROL, partition=PARTITION))

    def serve(self, slices=None):
        """Serve so many slices, or all, with an event of another key after each."""
        served = 0
        while slices is None or served < slices:
            one = self.store.tasks.serve(PARTITION)
            if one is None:
                return
            served += isinstance(one, Slice)
            self.others()

    def bobs_cheeps(self, readers):
        """The entries of each reader's timeline that Carol did not post."""
        carols = set(self._client.zrange(views.AUTHOR_CHEEPS.key("", CAROL), 0, -1))
        with self._client.pipeline(transaction=False) as pipe:
            for one in readers:
                pipe.lrange(views.TIMELINE.key("", one), 0, -1)
            return [[entry for entry in found if entry not in carols] for found in pipe.execute()]


def entry_of(published):
    return views.pack_entry(published.event.cheep_date, published.event.cheep_id)


@pytest.fixture(scope="module")
def server(servers):
    """A Redis of these tests alone, since 20,000 timelines are removed at once or take long."""
    return servers.own("redis")


@pytest.fixture
def redis(server):
    """A client of that Redis, which is empty."""
    with redis_client.Redis.from_url(server.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def fan_out(redis, helpers):
    made = FanOut(redis, helpers)
    made.gather_followers()
    return made


@pytest.mark.extended
def test_a_killed_projector_leaves_its_slices_to_the_next(fan_out, server):
    """Three processes at the same task, two of them killed at it, and another key's events in between."""
    # Their slices are so small that none is through with the task before it is killed; ours, which count it, are not.
    published = fan_out.story.posted(BOB, partition=PARTITION)
    fan_out.apply_log(published)
    unused = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "MONGO_URL": "mongodb://127.0.0.1:1", "LOG_FORMAT": "json"}
    settings = {"REDIS_URL": server.url, "FANOUT_SLICE": "2", "PORT": "0"}
    for left in (16, 8):
        process = subprocess.Popen(
            [sys.executable, "-m", "projector", "tasks"],
            env={**os.environ, **unused, **settings},
            stdout=subprocess.DEVNULL,
        )
        until(lambda left=left: fan_out.store.status().tasks <= left)
        process.kill()
        process.wait()
        assert fan_out.store.status().tasks > 0
        fan_out.others()
    fan_out.another_process()
    fan_out.serve()
    assert fan_out.bobs_cheeps(READERS) == [[entry_of(published)]] * FOLLOWERS


def test_a_killed_redis_goes_back_in_time_with_its_checkpoint(tmp_path, helpers):
    """The end of its append-only file is lost, slices, tasks, checkpoint and all: what is lost is redelivered."""
    server, random = Redis(tmp_path / "redis"), Random(4)
    server.start()
    try:
        with redis_client.Redis.from_url(server.url) as client:
            fan_out = FanOut(client, helpers)
            fan_out.gather_followers()
            (file,) = (server.data / "appendonlydir").glob("*.incr.aof")
            before = file.stat().st_size
            published = [fan_out.story.posted(BOB, partition=PARTITION) for _ in range(2)]
            fan_out.apply_log(*published)
            for slices in (7, 12, 17):
                fan_out.serve(slices)
                server.kill()
                size = file.stat().st_size
                os.truncate(file, random.randint(before, size))
                server.start()
                fan_out.another_process()
                fan_out.others()
            fan_out.serve()
            expected = [entry_of(one) for one in reversed(published)]
            assert fan_out.bobs_cheeps(READERS) == [expected] * FOLLOWERS
            assert client.zrange(views.AUTHOR_CHEEPS.key("", BOB), 0, -1) == expected[::-1]
    finally:
        server.wipe()


def test_followers_come_and_go_meanwhile(fan_out):
    """A reader who follows in the end has the cheep once, whether the task had passed them or not; others have none."""
    story, published = fan_out.story, fan_out.story.posted(BOB, partition=PARTITION)
    fan_out.apply_log(published)
    unfollowed, back, new = [], [], []
    for turn in range(4):
        fan_out.serve(4)
        for place in range(100 + turn, FOLLOWERS, 1_999):  # on both sides of the task's cursor
            unfollowed.append(READERS[place])
            back.append(READERS[place + 10])
            new.append(reader(2 * place + 1))
            for one in (unfollowed[-1], back[-1]):
                story.unfollowed(one, BOB, partition=PARTITION)
            for one in (back[-1], new[-1]):
                story.followed(one, BOB, partition=PARTITION)
        fan_out.apply_log()
    fan_out.serve()
    assert fan_out.bobs_cheeps(unfollowed) == [[]] * len(unfollowed)
    stayed = sorted((set(READERS) | set(new)) - set(unfollowed))
    assert fan_out.bobs_cheeps(stayed) == [[entry_of(published)]] * FOLLOWERS


@pytest.mark.parametrize("slices", [0, 7])
def test_a_cheep_deleted_meanwhile_is_in_no_timeline(fan_out, redis, slices):
    """The entries that the task has inserted are removed by another one, and it inserts no more of them."""
    published = fan_out.story.posted(BOB, partition=PARTITION)
    fan_out.apply_log(published)
    fan_out.serve(slices)
    has = [[entry_of(published)]] if slices else []
    assert [found for found in fan_out.bobs_cheeps(READERS) if found] == has * 1_000 * slices
    fan_out.apply_log(fan_out.story.deleted(published.event, partition=PARTITION))
    assert fan_out.store.status().tasks == (20 - slices) + 20
    fan_out.serve()
    assert not any(fan_out.bobs_cheeps(READERS))
    assert redis.hget(views.AUTHOR_COUNTERS.key("", BOB), "cheeps") == b"0"


def test_a_cheep_edited_meanwhile_is_one_cheep(fan_out, redis):
    """The edit is in the record alone, so it shows at once to those who have the cheep and to those who get it."""
    published = fan_out.story.posted(BOB, "first", partition=PARTITION)
    fan_out.apply_log(published)
    fan_out.serve(7)
    fan_out.apply_log(fan_out.story.updated(published.event, "second", partition=PARTITION))
    fan_out.serve()
    assert fan_out.bobs_cheeps(READERS) == [[entry_of(published)]] * FOLLOWERS
    assert b'"second"' in redis.get(views.CHEEP_RECORD.key("", published.event.cheep_id))
