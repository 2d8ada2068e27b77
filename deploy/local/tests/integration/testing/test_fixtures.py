from __future__ import annotations

import psycopg
import pytest
import redis
from confluent_kafka.admin import NewTopic
from pymongo import MongoClient

from cheeper_local.servers import kafka_protocol


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_an_empty_database(postgres_url, turn):
    """A table of one test does not exist in the next."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE only_once (turn text)")
        connection.execute("INSERT INTO only_once VALUES (%s)", [turn])


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_keys_of_its_own(redis_url, redis_prefix, turn):
    """A prefix is unique to a test."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.set(f"{redis_prefix}k", turn, nx=True)


def test_mongo_has_transactions(mongo_url, mongo_database):
    """The replica set of one is initiated, and a transaction commits."""
    with MongoClient(mongo_url) as client, client.start_session() as session:
        session.with_transaction(lambda s: client[mongo_database].things.insert_one({"_id": 1}, session=s))
        assert client[mongo_database].things.count_documents({}) == 1


def test_topics_of_a_prefix_can_be_made_and_deleted(kafka_bootstrap, topic_prefix):
    """Deleting by prefix deletes the topics of that prefix, and only those."""
    client = kafka_protocol.admin(kafka_bootstrap)
    names = [f"{topic_prefix}a", f"{topic_prefix}b"]
    for made in client.create_topics([NewTopic(name, 2, 1) for name in names]).values():
        made.result(60)
    assert sorted(kafka_protocol.delete_topics(kafka_bootstrap, f"{topic_prefix}a")) == names[:1]
    assert f"{topic_prefix}b" in client.list_topics(timeout=5).topics


def test_an_own_server_keeps_its_data_over_a_kill_and_loses_it_when_wiped(own_redis):
    """A killed server keeps its data, a wiped one loses it, and the URL stays the same."""
    url = own_redis.url
    with redis.Redis.from_url(url) as client:
        client.set("k", "v")
    own_redis.kill()
    own_redis.start()
    with redis.Redis.from_url(url) as client:
        assert client.get("k") == b"v"
    own_redis.wipe()
    own_redis.start()
    with redis.Redis.from_url(url) as client:
        assert client.get("k") is None
