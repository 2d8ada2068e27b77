"""Fixtures: the views over real servers, and hands to lay data with."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis as redis_py
from pymongo import MongoClient

from cheeper_contracts.views.generations import database_of, prefix_of
from read_api.bootstrap import query_bus
from read_api.ops.metrics import Metrics
from read_api.stores.mongo import reader as mongo
from read_api.stores.mongo.views import MongoViews
from read_api.stores.redis import reader as redis

sys.path.insert(0, str(Path(__file__).parent))  # `read_api_…` are shared by these tests alone

from read_api_generations import Registry
from read_api_layout import Documents, Hot, limits, new_id
from read_api_process import running


@pytest.fixture
def hot(redis_url, redis_prefix) -> Iterator[Hot]:
    """Redis, to lay data into."""
    with redis_py.Redis.from_url(redis_url) as client:
        yield Hot(client, redis_prefix)


@pytest.fixture
async def redis_views(redis_url, redis_prefix) -> AsyncIterator[redis.RedisViews]:
    """The views in Redis."""
    client = redis.connect(redis_url)
    views = redis.RedisViews(client, redis_prefix)
    yield views
    views.close()


@pytest.fixture
def documents(mongo_url, mongo_database) -> Iterator[Documents]:
    """MongoDB with its indexes, to lay data into."""
    with MongoClient(mongo_url) as client:
        laid = Documents(client[mongo_database])
        laid.make_indexes()
        yield laid


@pytest.fixture
async def reader(mongo_url, mongo_database) -> AsyncIterator[mongo.Reader]:
    """The documents as read-api reads them."""
    client = mongo.connect(mongo_url)
    yield mongo.Reader(client, mongo_database)
    await client.close()


@pytest.fixture
def ask(redis_views, reader):
    """Asks a query as the process does."""
    bus = query_bus(redis_views, MongoViews(reader, reader), Metrics(), limits())

    async def while_connected(awaited):
        return await awaited

    async def asked(query):
        return await bus.handle(query, while_connected)

    return asked


@pytest.fixture
def registry(hot, documents, redis_prefix, mongo_database):
    """Says which generations are live."""
    client = documents.database.client
    yield Registry(hot.client, redis_prefix, client, mongo_database)
    for number in (2, 3):
        client.drop_database(database_of(mongo_database, number))


@pytest.fixture
def hot_two(hot, redis_prefix):
    """The second generation in Redis, to lay data into."""
    return Hot(hot.client, prefix_of(redis_prefix, 2))


@pytest.fixture
def documents_two(documents, mongo_database):
    """The second generation in MongoDB, to lay data into."""
    laid = Documents(documents.database.client[database_of(mongo_database, 2)])
    laid.make_indexes()
    return laid


@pytest.fixture(scope="module")
def stores(servers):
    """The environment of the read-api that the tests of this module share."""
    return {
        "REDIS_URL": servers.shared("redis").url,
        "REDIS_PREFIX": f"t{new_id()}:",
        "MONGO_URL": servers.shared("mongo").url,
        "MONGO_DATABASE": f"t{new_id()}",
    }


@pytest.fixture
def shared_hot(stores):
    """Redis, to lay data into; no test reads another's authors."""
    with redis_py.Redis.from_url(stores["REDIS_URL"]) as client:
        yield Hot(client, stores["REDIS_PREFIX"])


@pytest.fixture(scope="module")
def shared_documents(stores):
    """MongoDB, to lay data into; no test reads another's authors."""
    with MongoClient(stores["MONGO_URL"]) as client:
        laid = Documents(client[stores["MONGO_DATABASE"]])
        laid.make_indexes()
        yield laid
        client.drop_database(stores["MONGO_DATABASE"])


@pytest.fixture(scope="module")
def shared(stores, tmp_path_factory):
    """A read-api that tests share: a client and its log."""
    log = tmp_path_factory.mktemp("read-api") / "log"
    with running(log, **stores) as (client, _):
        yield client, log


@pytest.fixture
def api(shared):
    """A client of the shared read-api."""
    return shared[0]
