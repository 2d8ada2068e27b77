"""Failed messages as the three servers keep them."""

import json
from base64 import b64encode

import psycopg
import pytest
import redis as redis_client
from pymongo import MongoClient

from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.stores.write_model import WriteModel
from cheeper_contracts import views
from inspector.sources.mongo import MongoDocuments
from inspector.sources.redis import RedisKeys
from inspector.sources.write_model import PostgresReader

ID, KEY, OTHER = (f"a64a52cc-3ee9-4a15-918b-{number:012x}" for number in range(3))
LETTERS = """
    CREATE TABLE dead_letters (
        id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, reason text, error text, source_topic text,
        "partition" int, "offset" bigint, key text, headers json, value bytea
    )
"""
LETTER = """
    INSERT INTO dead_letters (reason, error, source_topic, "partition", "offset", key, headers, value)
    VALUES (%s, %s, 'cheeper.commands', 3, %s, %s, %s, %s)
"""


def parked(sequence, key=KEY, **fields):
    """Return a message as the projector parks it."""
    return {
        "partition": 3,
        "sequence": sequence,
        "topic_id": "t",
        "offset": sequence - 1,
        "key": key,
        "type": "cheeper.cheep-posted.v1",
        "message_id": ID,
        "correlation_id": ID,
        "behind": sequence > 5,
        "why": "crashed",
        "headers": [],
        "value": b64encode(b"{}").decode(),
        "source_topic": "cheeper.events",
        **fields,
    }


def of(stored):
    """Return what a test compares of failed messages."""
    return [(each.key, each.sequence, each.behind, each.value) for each in stored]


EXPECTED = [(KEY, 5, False, b"{}"), (KEY, 6, True, b"{}")]


def test_redis(redis_url, redis_prefix):
    """Lists of several keys are read, of each key in its order, up to the bound."""
    with redis_client.Redis.from_url(redis_url, protocol=2) as client:
        for message in (parked(5), parked(6), parked(7, OTHER)):
            client.rpush(views.PARKED.key(redis_prefix, message["key"]), json.dumps(message))
            client.sadd(views.PARKED_KEYS.key(redis_prefix, 3), message["key"])
        keys = RedisKeys(RedisViews(client, redis_prefix), redis_prefix)
        assert of(keys.failed(100)) == [*EXPECTED, (OTHER, 7, True, b"{}")]
        assert (of(keys.failed(2)), keys.number_failed()) == (EXPECTED, 3)
        assert [each.message_id for each in keys.parked(KEY)] == [ID, ID]


def test_mongo(mongo_url, mongo_database):
    """The documents are read in the order of their keys."""
    with MongoClient(mongo_url) as client:
        collection = client[mongo_database][views.PARKED_MESSAGES.name]
        collection.insert_many([{"_id": f"3:{each}", **parked(each)} for each in (6, 5)])
        documents = MongoDocuments(MongoViews(client, mongo_database))
        assert (of(documents.failed(100)), documents.number_failed()) == (EXPECTED, 2)


@pytest.mark.parametrize("header", ["ce_id", "other"])
def test_postgres(postgres_url, header):
    """Dead letters are read in their order, with the message id if their headers have one."""
    headers = json.dumps([[header, b64encode(ID.encode()).decode()], ["ce_type", b64encode(b"t").decode()]])
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(LETTERS)
        connection.execute(LETTER, ("crashed", "KeyError", 1, KEY, headers, b"{}"))
        connection.execute(LETTER, ("behind", None, 2, KEY, headers, None))
        reader = PostgresReader(lambda: WriteModel(connection))
        first, second = reader.failed(100)
        assert (first.reason, first.behind, first.value, first.type) == ("KeyError", False, b"{}", "t")
        assert (second.reason, second.behind, second.value) == ("behind", True, b"")
        assert first.message_id == (ID if header == "ce_id" else None)
        assert (len(reader.failed(1)), reader.number_failed()) == (1, 2)
        assert [each.error for each in reader.dead_letters(KEY)] == ["KeyError", "behind"]
