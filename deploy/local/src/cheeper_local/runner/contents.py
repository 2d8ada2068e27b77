"""The contents of every store and topic: counting them, and deleting them while no role of the stack uses them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg
import redis
from confluent_kafka import KafkaException
from psycopg import sql
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from cheeper_local.errors import LocalError
from cheeper_local.servers import kafka_protocol
from cheeper_local.text import counted
from cheeper_local.waiting import until

_MONGO_OWN = ("admin", "config", "local")
_SECONDS = 30.0
# Partitions count as the table that they belong to; autovacuum and each session keep the estimate recent.
_ROWS = """
    SELECT count(*) FILTER (WHERE inhparent IS NULL), coalesce(sum(n_live_tup), 0)::bigint
      FROM pg_stat_user_tables LEFT JOIN pg_inherits ON inhrelid = relid
"""


def count_all(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the contents of each server, in words. Raises LocalError if one is unavailable."""
    try:
        return {
            "PostgreSQL": _in_postgres(environment["DATABASE_URL"]),
            "Redis": _in_redis(environment["REDIS_URL"]),
            "MongoDB": _in_mongo(environment["MONGO_URL"]),
            "Kafka": _in_broker(environment["KAFKA_BOOTSTRAP_SERVERS"]),
        }
    except (psycopg.Error, redis.RedisError, PyMongoError, KafkaException) as error:
        raise LocalError(f"The contents cannot be counted: {str(error).strip()}") from None


def empty_all(environment: Mapping[str, str]) -> None:
    """Leave each server as if new."""
    _empty_postgres(environment["DATABASE_URL"])
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        client.flushall()
    with MongoClient[dict[str, Any]](environment["MONGO_URL"]) as client:
        for name in _databases(client):
            client.drop_database(name)
    _empty_broker(environment["KAFKA_BOOTSTRAP_SERVERS"])


def _in_postgres(url: str) -> str:
    with closing(psycopg.connect(url)) as connection:
        tables, rows = connection.execute(_ROWS).fetchone() or (0, 0)
        return f"about {counted(rows, 'row')} in {counted(tables, 'table')}"


def _in_redis(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        return counted(int(client.dbsize()), "key")


def _in_mongo(url: str) -> str:
    with MongoClient[dict[str, Any]](url) as client:
        databases = [client[name] for name in _databases(client)]
        collections = [database[name] for database in databases for name in database.list_collection_names()]
        documents = sum(each.estimated_document_count() for each in collections)
        return f"{counted(documents, 'document')} in {counted(len(collections), 'collection')}"


def _in_broker(bootstrap: str) -> str:
    names = kafka_protocol.topics(bootstrap, "")
    messages = kafka_protocol.count_messages(bootstrap, names)
    return f"{counted(messages, 'message')} in {counted(len(names), 'topic')}"


def _databases(client: MongoClient[dict[str, Any]]) -> list[str]:
    return [name for name in client.list_database_names() if name not in _MONGO_OWN]


def _empty_postgres(url: str) -> None:
    server, _, database = url.rpartition("/")
    with closing(psycopg.connect(f"{server}/postgres", autocommit=True)) as connection:
        name = sql.Identifier(database)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def _empty_broker(bootstrap: str) -> None:
    kafka_protocol.delete_topics(bootstrap, "")
    until(  # a topic that is being deleted cannot be made anew
        lambda: not kafka_protocol.topics(bootstrap, ""),
        _SECONDS,
        or_else=LocalError(f"The broker still has topics {_SECONDS:g} s after they were deleted."),
    )
