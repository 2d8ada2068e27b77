"""Fixtures: the views over real servers, and hands to lay data with."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis as redis_py
from pymongo import MongoClient

from read_api.stores import mongo, redis

sys.path.insert(0, str(Path(__file__).parent))  # `read_api_layout` is shared by these tests alone

from read_api_layout import Hot


@pytest.fixture
def hot(redis_url, redis_prefix) -> Iterator[Hot]:
    """Redis, to lay data into."""
    with redis_py.Redis.from_url(redis_url) as client:
        yield Hot(client, redis_prefix)


@pytest.fixture
async def redis_views(redis_url, redis_prefix) -> AsyncIterator[redis.RedisViews]:
    """The views in Redis."""
    client = redis.connect(redis_url)
    yield redis.RedisViews(client, redis_prefix)
    await client.aclose()
    await client.connection_pool.disconnect()


@pytest.fixture
def documents(mongo_url, mongo_database):
    """The Mongo database, to lay data into."""
    with MongoClient(mongo_url) as client:
        yield client[mongo_database]


@pytest.fixture
async def mongo_views(mongo_url, mongo_database) -> AsyncIterator[mongo.MongoViews]:
    """The views in MongoDB."""
    client = mongo.connect(mongo_url)
    yield mongo.MongoViews(client, mongo_database)
    await client.close()
