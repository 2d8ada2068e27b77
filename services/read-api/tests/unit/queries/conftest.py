"""The fixtures of the queries' tests over fakes. `tests/integration/conftest.py` has the same over real stores."""

import pytest
from read_api_fakes import FakeMongo, FakeMongoViews, FakeRedis, FakeRedisViews, FakeRegistry, seeds
from read_api_layout import limits

from read_api.bootstrap import query_bus
from read_api.ops.metrics import Metrics


@pytest.fixture
def redis():
    return FakeRedis()


@pytest.fixture
def mongo():
    return FakeMongo()


@pytest.fixture
def hot(redis, mongo):
    return seeds(redis, mongo, 1)[0]


@pytest.fixture
def documents(redis, mongo):
    return seeds(redis, mongo, 1)[1]


@pytest.fixture
def hot_two(redis, mongo):
    return seeds(redis, mongo, 2)[0]


@pytest.fixture
def documents_two(redis, mongo):
    return seeds(redis, mongo, 2)[1]


@pytest.fixture
def registry(redis, mongo):
    return FakeRegistry(redis, mongo)


@pytest.fixture
def redis_views(redis):
    return FakeRedisViews(redis)


@pytest.fixture
def ask(redis_views, mongo):
    """Return a function that runs a query as the process does."""
    bus = query_bus(redis_views, FakeMongoViews(mongo), Metrics(), limits())

    async def while_connected(awaited):
        return await awaited

    async def asked(query):
        return await bus.handle(query, while_connected)

    return asked
