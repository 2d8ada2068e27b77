"""A projector that dies at any moment of a call, and two that are at it at once: a message has its effect once."""

import threading
from itertools import count

import pytest
import redis as redis_client
from pymongo import MongoClient, monitoring

from cheeper_contracts import views
from projector.stores.base import Batch, StoreUnavailableError
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.scripts import RedisSettings
from projector.stores.redis.store import RedisStore

pytestmark = [pytest.mark.proves(guarantee="exactly-once"), pytest.mark.variants("store")]

PARTITION = 3
ATTEMPTS = 200


class Watch(monitoring.CommandListener):
    """End the session that sends the command of that number, as the server does with one of an ended client."""

    def __init__(self, url, number):
        self.number, self.seen = number, 0
        self._killer = MongoClient(url)

    def started(self, event):
        if "lsid" in event.command and event.command_name != "endSessions":
            self.seen += 1
            if self.seen == self.number:
                self._killer.admin.command({"killSessions": [event.command["lsid"]]})

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass

    def close(self):
        self._killer.close()


@pytest.fixture
def dying(store, request):
    """Makes another store that dies at the step of its call that has that number; true where it came so far."""

    def of_redis(number):
        class Connection(redis_client.Connection):
            steps = 0

            def step(self):
                Connection.steps += 1
                if Connection.steps == number:
                    raise redis_client.ConnectionError("dead")

            def send_packed_command(self, *args, **options):
                self.step()
                super().send_packed_command(*args, **options)

            def read_response(self, *args, **options):
                self.step()
                return super().read_response(*args, **options)

        pool = redis_client.ConnectionPool.from_url(request.getfixturevalue("redis_url"), connection_class=Connection)
        settings = RedisSettings(prefix=request.getfixturevalue("redis_prefix"), inline_max=1_000, slice_size=1_000)
        made = RedisStore(redis_client.Redis(connection_pool=pool), settings)
        return made, lambda: Connection.steps >= number

    def of_mongo(number):
        watch = Watch(request.getfixturevalue("mongo_url"), number)
        client = MongoClient(request.getfixturevalue("mongo_url"), event_listeners=[watch])
        request.addfinalizer(watch.close)
        return MongoStore(client, request.getfixturevalue("mongo_database")), lambda: watch.seen >= number

    return of_redis if store.name == "redis" else of_mongo


@pytest.fixture
def another(store, request):
    """Makes another store over the same views, with connections of its own."""

    def make():
        if store.name == "redis":
            client = redis_client.Redis.from_url(request.getfixturevalue("redis_url"))
            prefix = request.getfixturevalue("redis_prefix")
            return RedisStore(client, RedisSettings(prefix=prefix, inline_max=1_000, slice_size=1_000))
        return MongoStore(MongoClient(request.getfixturevalue("mongo_url")), request.getfixturevalue("mongo_database"))

    return make


@pytest.fixture
def counts(store, request):
    """An author's followers and cheeps as the store has them."""

    def read(author):
        if store.name == "redis":
            client, prefix = request.getfixturevalue("redis"), request.getfixturevalue("redis_prefix")
            found = client.hgetall(views.AUTHOR_COUNTERS.key(prefix, author))
            return int(found.get(b"followers", 0)), int(found.get(b"cheeps", 0))
        found = request.getfixturevalue("mongo")[views.AUTHORS.name].find_one({"_id": author}) or {}
        return found.get("followers", 0), found.get("cheeps", 0)

    return read


def test_a_projector_that_dies_within_a_call_has_done_all_of_it_or_nothing(
    store, dying, story, author, counts, helpers
):
    """Whoever does the batch again, after a death at any step of the call, leaves the same views.

    It fails when a checkpoint is written in a call of its own, before the views' or after.
    """
    bob, deaths = author(), 0
    for number in count(1):
        published = [story.followed(author(), bob, partition=PARTITION), story.posted(bob, partition=PARTITION)]
        batch = Batch(
            partition=PARTITION, topic_id="topic", items=helpers.items_of(store, [one.message for one in published])
        )
        dead, died = dying(number)
        try:
            helpers.apply(dead, batch)
        except StoreUnavailableError:
            deaths += 1
        dead.close()
        done = store.checkpoints([PARTITION])[PARTITION].sequence // 2
        assert counts(bob) == (done, done), f"died at step {number}"
        helpers.apply(store, batch)
        assert counts(bob) == (number, number), f"died at step {number}"
        assert store.checkpoints([PARTITION])[PARTITION].sequence == 2 * number
        if not died():
            break
    assert deaths >= 2


@pytest.mark.parametrize("cuts", [(4, 4), (4, 7)], ids=["the same batches", "other batches"])
def test_two_projectors_at_once_apply_each_message_once(store, another, story, author, counts, helpers, cuts):
    """Both believe that the partition is theirs, and begin at its first message.

    It fails when a store does not compare its checkpoint in the call that moves it.
    """
    bob = author()
    published = [story.followed(author(), bob, partition=PARTITION) for _ in range(60)]
    published += [story.posted(bob, partition=PARTITION) for _ in range(60)]
    messages = [one.message for one in published]
    together, failures = threading.Barrier(len(cuts)), []

    def project(size):
        mine = another()
        try:
            together.wait(120)
            for start in range(0, len(messages), size):
                batch = Batch(
                    partition=PARTITION, topic_id="topic", items=helpers.items_of(mine, messages[start : start + size])
                )
                persist(mine, batch)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            failures.append(error)
        finally:
            mine.close()

    threads = [threading.Thread(target=project, args=(size,)) for size in cuts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert counts(bob) == (60, 60)
    assert store.checkpoints([PARTITION])[PARTITION].sequence == len(messages)


def persist(store, batch):
    """Until it is taken: of two at once one meets a conflict, which passes."""
    for _ in range(ATTEMPTS):
        try:
            store.apply([batch])
        except StoreUnavailableError:
            continue
        return
    raise AssertionError(f"not taken in {ATTEMPTS} attempts")
