import pytest
import redis as redis_client
from pymongo import MongoClient

from projector.stores.mongo.parked import MongoParkedMessages
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.parked import RedisParkedMessages
from projector.stores.redis.store import RedisSettings, RedisStore


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

    def make(*, inline_max=1_000, slice_size=1_000, **settings):
        return RedisStore(
            redis, RedisSettings(prefix=redis_prefix, inline_max=inline_max, slice_size=slice_size, **settings)
        )

    return make


@pytest.fixture
def parked_messages(store, request):
    """What the test's store has set aside, over a connection of its own."""
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
