import threading
from contextlib import contextmanager

import msgspec
import pytest
import redis as redis_client
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import Producer, TopicPartition
from projector_testing.topics import Topics
from pymongo import MongoClient

from cheeper_contracts import views
from cheeper_contracts.kafka.topics import DEAD_LETTERS, EVENTS
from cheeper_runtime.readiness.needs import Readiness
from projector import bootstrap
from projector.settings import from_env
from projector.stores.mongo.parked import MongoParkedMessages
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.parked import RedisParkedMessages
from projector.stores.redis.scripts import RedisSettings
from projector.stores.redis.store import RedisStore


@pytest.fixture
def redis(redis_url):
    """A client of the test's Redis."""
    with redis_client.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def mongo(mongo_url, mongo_database):
    """The test's database."""
    with MongoClient(mongo_url) as client:
        yield client[mongo_database]


@pytest.fixture
def redis_store(redis, redis_prefix):
    """Makes a store over the test's prefix."""

    def make(*, inline_max=1_000, slice_size=1_000, tracer=None, **settings):
        fixed = {"prefix": redis_prefix, "inline_max": inline_max, "slice_size": slice_size}
        return RedisStore(redis, RedisSettings(**fixed, **settings), tracer)

    return make


@pytest.fixture
def parked_messages(store, request):
    """The parked messages of the test's store, over a connection of their own."""
    if store.name == "redis":
        with redis_client.Redis.from_url(request.getfixturevalue("redis_url")) as client:
            prefix = request.getfixturevalue("redis_prefix")
            yield RedisParkedMessages(client, RedisSettings(prefix=prefix, inline_max=1_000, slice_size=1_000))
    else:
        with MongoClient(request.getfixturevalue("mongo_url")) as client:
            yield MongoParkedMessages(client, request.getfixturevalue("mongo_database"))


@pytest.fixture(params=["redis", "mongo"])
def store(request):
    """Each store in turn: they keep the same rules."""
    if request.param == "redis":
        return request.getfixturevalue("redis_store")()
    mongo = request.getfixturevalue("mongo")
    made = MongoStore(mongo.client, mongo.name)
    made.prepare()
    return made


class Kafka(Topics):
    """The topics of a test, as the relay and the operator handle them."""

    def __init__(self, servers, prefix):
        super().__init__(servers, prefix, EVENTS)

    def send(self, messages):
        producer = Producer({"bootstrap.servers": self.servers, "enable.idempotence": True})
        for message in messages:
            producer.produce(
                self.topic,
                value=message.value(),
                key=message.key(),
                headers=message.headers(),
                partition=message.partition(),
            )
        assert producer.flush(30) == 0

    def dead_letters(self):
        consumer = KafkaConsumer({"bootstrap.servers": self.servers, "group.id": f"{self.prefix}reader"})
        consumer.assign([TopicPartition(DEAD_LETTERS.named(self.prefix), 0, 0)])
        found = []
        while (message := consumer.poll(1)) is not None:
            found.append(message)
        consumer.close()
        return found


class Running:
    """A consumer in a thread, as the process runs it."""

    def __init__(self, consumer, readiness, stop, store):
        self.readiness, self.store = readiness, store
        self._stop = stop
        self._counts = consumer.progress.counts
        self.failure = None
        self._thread = threading.Thread(target=self._run, args=(consumer,))
        self._thread.start()

    def _run(self, consumer):
        try:
            consumer.run()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.failure = error

    def applied(self):
        """The number of messages that this process has applied."""
        return self._counts.applied

    def sequences(self):
        return {p: c.sequence for p, c in self.store.checkpoints(range(8)).items() if c.sequence}

    def topics(self):
        return {c.topic_id for c in self.store.checkpoints(range(8)).values() if c.sequence}

    def reasons(self):
        return [need.reason for need in self.readiness.needs().values() if not need.ok]

    def end(self, *, wait=False):
        if not wait:
            self._stop.set()
        self._thread.join(120)
        assert not self._thread.is_alive()


@pytest.fixture
def compared():
    """Records that a generation equals the write model, as the audit does."""

    def record(generations, number):
        def step(registry):
            one = msgspec.structs.replace(registry.of(number), compared_at=1)
            return msgspec.structs.replace(registry, generations={**registry.generations, number: one})

        generations._step(step)

    return record


@pytest.fixture
def kafka_at():
    """Makes the topics' handle for a broker and a prefix."""
    return Kafka


@pytest.fixture
def kafka(kafka_bootstrap, topic_prefix):
    """The topics of the test, made."""
    made = Kafka(kafka_bootstrap, topic_prefix)
    made.make()
    return made


@pytest.fixture
def environ(kafka, redis_url, redis_prefix, mongo_url, mongo_database):
    """The settings of a projector for the test's topics and stores."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.servers,
        "TOPIC_PREFIX": kafka.prefix,
        "REDIS_URL": redis_url,
        "REDIS_PREFIX": redis_prefix,
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": mongo_database,
        "PORT": "0",
        "LOG_FORMAT": "json",
    }


@pytest.fixture(params=["redis", "mongo"])
def running(request, environ):
    """Runs a consumer of each store in turn, ended with the block."""
    name = request.param

    @contextmanager
    def run(limit=None, **changes):
        settings = from_env({**environ, **changes})
        watched = bootstrap.backend(settings, name).store()
        readiness, stop = Readiness(), threading.Event()
        made = bootstrap.consumer(settings, name, 1, readiness=readiness, stop=stop, limit=limit)
        running = Running(made, readiness, stop, watched)
        try:
            yield running
        finally:
            running.end()
            watched.close()

    return run


@pytest.fixture
def followers(request, redis, redis_prefix, mongo):
    """An author's count of followers in the store of this run."""
    name = request.node.callspec.params["running"]

    def read(author):
        if name == "redis":
            return int(redis.hget(views.AUTHOR_COUNTERS.key(redis_prefix, author), "followers") or 0)
        return (mongo[views.AUTHORS.name].find_one({"_id": author}) or {}).get("followers", 0)

    return read
