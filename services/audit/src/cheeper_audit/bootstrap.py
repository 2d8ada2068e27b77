"""Puts the program together: the one place where clients are built."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection, IsolationLevel, OperationalError, connect
from pymongo import MongoClient
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cheeper_audit.settings import Settings
from cheeper_audit.stores import StoreAwayError
from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.views.view import Stores
from cheeper_audit.write_model import WriteModel

_CONNECT_SECONDS: Final = 5
_SECONDS: Final = 60.0

# Everything is found by an index, some rows at a time. Without statistics, as after a load, the planner would now and
# then read a whole table for each author instead, and PostgreSQL compile what takes it a millisecond to run.
_PLANS: Final = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"


@contextmanager
def stores(settings: Settings) -> Iterator[Stores]:
    """The three servers. Raises StoreAwayError where PostgreSQL is away; the others tell when they are used."""
    redis = Redis.from_url(
        settings.redis_url,
        socket_timeout=_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        protocol=2,  # scores as Redis spells them, not as floats
        retry=Retry(NoBackoff(), 0),
    )
    mongo: MongoClient[dict[str, Any]] = MongoClient(
        settings.mongo_url,
        serverSelectionTimeoutMS=_CONNECT_SECONDS * 1_000,
        connectTimeoutMS=_CONNECT_SECONDS * 1_000,
        socketTimeoutMS=int(_SECONDS * 1_000),
        appname="cheeper-audit",
    )
    with redis, mongo, _postgres(settings.database_url) as connection:
        yield Stores(
            WriteModel(connection),
            RedisViews(redis, settings.redis_prefix),
            MongoViews(mongo, settings.mongo_database),
        )


def _postgres(database_url: str) -> Connection[tuple[Any, ...]]:
    try:
        connection = connect(
            database_url, connect_timeout=_CONNECT_SECONDS, application_name="cheeper-audit", options=_PLANS
        )
    except OperationalError as error:
        raise StoreAwayError("The PostgreSQL at DATABASE_URL cannot be reached.") from error
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection
