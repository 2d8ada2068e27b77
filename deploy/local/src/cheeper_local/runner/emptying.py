"""Emptying every store and topic, while no role of the stack uses them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg
import redis
from psycopg import sql
from pymongo import MongoClient

from cheeper_local.errors import LocalError
from cheeper_local.servers import kafka_protocol
from cheeper_local.waiting import until

_MONGO_OWN = ("admin", "config", "local")
_SECONDS = 30.0


def empty_all(urls: Mapping[str, str]) -> None:
    """Leave each server as if new; `urls` by server."""
    _empty_postgres(urls["postgres"])
    _empty_redis(urls["redis"])
    _empty_mongo(urls["mongo"])
    _empty_broker(urls["kafka"])


def _empty_postgres(url: str) -> None:
    server, _, database = url.rpartition("/")
    with closing(psycopg.connect(f"{server}/postgres", autocommit=True)) as connection:
        name = sql.Identifier(database)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def _empty_redis(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushall()


def _empty_mongo(url: str) -> None:
    with MongoClient[dict[str, Any]](url) as client:
        for name in client.list_database_names():
            if name not in _MONGO_OWN:
                client.drop_database(name)


def _empty_broker(bootstrap: str) -> None:
    kafka_protocol.delete_topics(bootstrap, "")
    until(  # a topic that is being deleted cannot be made anew
        lambda: not kafka_protocol.topics(bootstrap, ""),
        _SECONDS,
        or_else=LocalError(f"The broker still has topics {_SECONDS:g} s after they were deleted."),
    )
