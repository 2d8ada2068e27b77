"""Faults that pass, on real servers: waited for and reported, nothing is skipped, nothing is taken for poison."""

import threading
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cheeper_contracts import views
from cheeper_contracts.kafka.topics import EVENTS, TOPICS
from cheeper_local.testing import until
from cheeper_local.testing.faults.mongo import MongoFaults
from cheeper_local.testing.faults.redis import RedisFaults
from cheeper_runtime.readiness.needs import Readiness
from projector import bootstrap
from projector.settings import from_env

pytestmark = [pytest.mark.proves(guarantee="transient-faults"), pytest.mark.variants("behind")]

REDIS = ["full", "read-only", "without its primary", "busy", "cannot save", "wants a password", "refuses commands"]
REDIS += ["too many clients", "frozen"]
MONGO = [*MongoFaults.codes, "steps down", "breaks connections", "frozen"]
SLOW = {"late both ways": {"delay": 0.1}, "throttled": {"rate": 40_000}}
TOO_LATE = {"responds too late": {"delay_back": 7.0}, "stalled": {"stalled": True}}
HOSTS = ("127.0.0.1", "localhost")


class Place:
    """A log, a consumer of one store in a thread, and what is watched of it."""

    def __init__(self, settings, direct, name):
        self.settings, self.name = settings, name
        self.readiness, self._stop, self.failure = Readiness(), threading.Event(), None
        self.topic = EVENTS.named(settings.topic_prefix)
        self.watched = self._store(direct)
        self._consumer = bootstrap.consumer(settings, name, 1, readiness=self.readiness, stop=self._stop)
        self._thread = threading.Thread(target=self._run)

    def _store(self, settings):
        return bootstrap.backend(settings, self.name).store()

    def _run(self):
        try:
            self._consumer.run()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.failure = error

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(120)
        self.watched.close()

    def send(self, messages):
        producer = Producer({"bootstrap.servers": self.settings.kafka.bootstrap_servers, "enable.idempotence": True})
        for one in messages:
            parts = {"value": one.value(), "key": one.key(), "headers": one.headers(), "partition": one.partition()}
            producer.produce(self.topic, **parts)
        assert producer.flush(30) == 0

    def sequences(self):
        return {p: c.sequence for p, c in self.watched.checkpoints(range(8)).items() if c.sequence}

    def need(self):
        return self.readiness.needs()[self.name]

    def reasons(self):
        return [need.reason for need in self.readiness.needs().values() if not need.ok]


@pytest.fixture
def place(kafka_bootstrap, topic_prefix):
    """Makes the topics, and a place whose stores are at these URLs, watched at those where others are given."""

    @contextmanager
    def make(name, watched=None, **urls):
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        wanted = [NewTopic(topic.named(topic_prefix), topic.partitions, 1, config=topic.config) for topic in TOPICS]
        for made in admin.create_topics(wanted).values():
            made.result(30)
        environ = {"KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "TOPIC_PREFIX": topic_prefix, "PORT": "0"}
        environ |= {"REDIS_URL": "redis://127.0.0.1:1/0", "MONGO_URL": "mongodb://127.0.0.1:1/", **urls}
        with Place(from_env(environ), from_env(environ | (watched or {})), name) as running:
            yield running

    return make


@pytest.fixture
def redis_faults(own_redis):
    faults = RedisFaults(own_redis)
    yield faults
    faults.close()


@pytest.fixture
def mongo_faults(own_mongo):
    faults = MongoFaults(own_mongo, "projector")
    yield faults
    faults.close()


def waited_for(running, fault, story, author):
    """With the fault there is no progress and readiness says why; after it all is applied and nothing parked.

    The author who has five followers then.
    """
    one = author()
    story.signed(one)
    running.send(story.all_messages())
    until(lambda: running.sequences() == story.whole())
    before = len(story.all_messages())
    with fault():
        for _ in range(5):
            story.followed(author(), one)
        running.send(story.all_messages()[before:])
        until(lambda: not running.need().ok)
        why = running.need().reason
        assert why
        assert not any(host in why for host in HOSTS), why
    until(lambda: running.sequences() == story.whole() or running.failure)
    assert running.failure is None
    until(lambda: running.reasons() == [])
    assert running.watched.status().parked == 0
    return one


@pytest.mark.parametrize("name", REDIS)
def test_redis_that_cannot_write_for_now_is_waited_for(place, own_redis, redis_faults, story, author, name):
    """Whatever Redis itself returns while it is full, busy, read-only or refuses us, no message is taken for poison."""
    with place("redis", REDIS_URL=own_redis.url) as running:
        waited_for(running, redis_faults.names[name], story, author)


@pytest.mark.parametrize("name", MONGO)
def test_mongo_that_cannot_write_for_now_is_waited_for(place, own_mongo, mongo_faults, story, author, name):
    """Whatever MongoDB returns while it has no primary, is full or refuses us, no message is taken for poison."""
    with place("mongo", MONGO_URL=own_mongo.url) as running:
        waited_for(running, mongo_faults.names[name], story, author)


@pytest.fixture(params=["redis", "mongo"])
def behind(request, place, proxy_to, redis_url, redis_prefix, mongo_url, mongo_database):
    """Runs a consumer of each store in turn, behind a proxy; its place and the proxy."""
    name = request.param
    urls = {"redis": ("REDIS_URL", redis_url), "mongo": ("MONGO_URL", mongo_url)}
    variable, url = urls[name]
    proxy, through = proxy_to(url)

    @contextmanager
    def run():
        names = {"REDIS_PREFIX": redis_prefix, "MONGO_DATABASE": mongo_database, variable: through}
        with place(name, watched={variable: url}, **names) as running:
            yield running, proxy

    return run


@pytest.fixture
def followers(request, redis, redis_prefix, mongo):
    """An author's count of followers in the store behind the proxy."""
    name = request.node.callspec.params["behind"]

    def read(author):
        if name == "redis":
            return int(redis.hget(views.AUTHOR_COUNTERS.key(redis_prefix, author), "followers") or 0)
        return (mongo[views.AUTHORS.name].find_one({"_id": author}) or {}).get("followers", 0)

    return read


@pytest.mark.parametrize("how", SLOW)
def test_a_store_that_is_slow_is_late_but_right(behind, story, author, followers, how):
    """A response within its time-out suffices: each message is applied once, and the store is never unavailable."""
    one = author()
    story.signed(one)
    with behind() as (running, proxy):
        running.send(story.all_messages())
        until(lambda: running.sequences() == story.whole())
        before = len(story.all_messages())
        with proxy.slow(**SLOW[how]):
            for _ in range(20):
                story.followed(author(), one)
            running.send(story.all_messages()[before:])
            until(lambda: running.sequences() == story.whole() or not running.need().ok)
            assert running.need().ok
            assert followers(one) == 20
        assert running.failure is None
        assert running.watched.status().parked == 0


@pytest.mark.parametrize("how", TOO_LATE)
@pytest.mark.extended
def test_a_store_whose_responses_are_lost_applies_everything_once(behind, story, author, followers, how):
    """A batch that was applied but not acknowledged is applied again and counts once; readiness is false meanwhile."""
    with behind() as (running, proxy):

        def slowed():
            return proxy.slow(**TOO_LATE[how])

        one = waited_for(running, slowed, story, author)
        assert followers(one) == 5
