"""The two stores of views, each test with keys and documents of its own."""

from __future__ import annotations

import pytest
import redis as redis_client
from pymongo import MongoClient

from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews


@pytest.fixture
def redis(redis_url):
    with redis_client.Redis.from_url(redis_url, protocol=2) as client:
        yield client


@pytest.fixture
def redis_views(redis, redis_prefix):
    return RedisViews(redis, redis_prefix)


@pytest.fixture
def mongo(mongo_url, mongo_database):
    with MongoClient(mongo_url) as client:
        yield client[mongo_database]


@pytest.fixture
def mongo_views(mongo):
    return MongoViews(mongo.client, mongo.name)
