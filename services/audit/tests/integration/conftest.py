"""The two stores of views, each test with keys and documents of its own."""

from __future__ import annotations

import msgspec
import psycopg
import pytest
import redis as redis_client
from pymongo import MongoClient

from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.view import Stores
from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import REGISTRY, REGISTRY_ID, VERSIONS, registry_key


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


# Of the write model only where the relay is; its rows are the end-to-end suite's matter.
RELAY = """
    CREATE TABLE outbox (epoch int, xid xid8, id bigint, "time" bigint, key text);
    CREATE TABLE relay_cursor (epoch int, xid xid8, id bigint, current_epoch int DEFAULT 1);
    CREATE TABLE dead_letters (source_topic text);
    CREATE TABLE handled_commands (outcome json, at bigint, accepted boolean);
    CREATE TABLE consumer_checkpoints (replaced_at bigint);
    CREATE TABLE relay_partitions ("partition" int PRIMARY KEY, last_sequence bigint);
    INSERT INTO relay_cursor VALUES (1, '10', 3);
    INSERT INTO relay_partitions SELECT p, 5 FROM generate_series(0, 7) AS p;
"""


@pytest.fixture
def relay(postgres_url):
    """A connection to a write model whose messages were all sent: five in each partition."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(RELAY)
        yield connection


@pytest.fixture
def stores(relay, postgres_url, redis, redis_prefix, redis_views, mongo, mongo_views):
    """Both sides at rest, at sequence 5."""
    assert relay
    for partition in range(PARTITIONS):
        redis.hset(redis_views.key(views.CHECKPOINT, partition), "sequence", 5)
    mongo[views.CHECKPOINTS.name].insert_many([{"_id": p, "sequence": 5} for p in range(PARTITIONS)])
    entries = {store: {"state": "active", "version": version} for store, version in VERSIONS.items()}
    redis.hset(registry_key(redis_prefix), "generation:1", msgspec.json.encode(entries["redis"]))
    mongo[REGISTRY].insert_one({"_id": REGISTRY_ID, "generations": {"1": entries["mongo"]}})
    with psycopg.connect(postgres_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield Stores(WriteModel(connection), redis_views, mongo_views)


@pytest.fixture
def one_more(relay, redis, redis_views, mongo):
    """Have a message of partition 2 sent, and applied by both stores or by the named ones."""

    def one_more(*names):
        relay.execute("UPDATE relay_partitions SET last_sequence = last_sequence + 1 WHERE partition = 2")
        if not names or "redis" in names:
            redis.hincrby(redis_views.key(views.CHECKPOINT, 2), "sequence", 1)
        if not names or "mongo" in names:
            mongo[views.CHECKPOINTS.name].update_one({"_id": 2}, {"$inc": {"sequence": 1}})

    return one_more
