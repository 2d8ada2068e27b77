"""Puts the program together: the one place where clients are built."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection, IsolationLevel, OperationalError, ProgrammingError, connect
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cheeper_audit.difference import StoreName
from cheeper_audit.lag.snapshot import Sources, StoreSnapshot
from cheeper_audit.settings import Settings
from cheeper_audit.stores import StoreUnavailableError
from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.view import Stores
from cheeper_runtime.settings import SettingError

_CONNECT_SECONDS: Final = 5
_SECONDS: Final = 60.0
_SNAPSHOT_SECONDS: Final = 5.0
"""A snapshot reports that a server is unavailable rather than wait for it."""

# Everything is found by an index, some rows at a time. Without statistics, as after a load, the planner would now and
# then read a whole table for each author instead, and PostgreSQL compile what takes it a millisecond to run.
_PLANS: Final = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"


@contextmanager
def stores(settings: Settings, store: StoreName | None = None, generation: int | None = None) -> Iterator[Stores]:
    """Connect to the write model and the views: of both stores or one, of the live generation or that one.

    Raise SettingError, and StoreUnavailableError if PostgreSQL is unavailable; the other servers are not called yet.
    """
    redis, mongo = redis_client(settings.redis_url), mongo_client(settings.mongo_url)
    with redis, mongo, postgres_connection(settings.database_url) as connection:
        yield Stores(
            WriteModel(connection),
            RedisViews(redis, settings.redis_prefix, generation if store == "redis" else None),
            MongoViews(mongo, settings.mongo_database, generation if store == "mongo" else None),
            ("redis", "mongo") if store is None else (store,),
        )


@contextmanager
def sources(settings: Settings) -> Iterator[Sources]:
    """Return the sources of a snapshot of the lag; each server may be unavailable alone. Raise SettingError."""
    with (
        redis_client(settings.redis_url, _SNAPSHOT_SECONDS) as redis,
        mongo_client(settings.mongo_url, _SNAPSHOT_SECONDS) as mongo,
    ):

        def redis_snapshot() -> StoreSnapshot:
            views = RedisViews(redis, settings.redis_prefix)
            state = views.state()
            return StoreSnapshot(state.generation, state.sequences, state.tasks, views.parked_messages())

        def mongo_snapshot() -> StoreSnapshot:
            state = MongoViews(mongo, settings.mongo_database).state()
            return StoreSnapshot(state.generation, state.sequences, state.tasks, state.parked)

        yield Sources(lambda: _write_model(settings), {"redis": redis_snapshot, "mongo": mongo_snapshot})


@contextmanager
def _write_model(settings: Settings) -> Iterator[WriteModel]:
    with postgres_connection(settings.database_url) as connection:
        yield WriteModel(connection)


def redis_client(url: str, seconds: float = _SECONDS) -> Redis:
    """Return a client, each of whose replies must come within these seconds. Raise SettingError."""
    try:
        return Redis.from_url(
            url,
            socket_timeout=seconds,
            socket_connect_timeout=_CONNECT_SECONDS,
            protocol=2,  # scores as Redis spells them, not as floats
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise SettingError("REDIS_URL cannot be read") from None


def mongo_client(url: str, seconds: float = _SECONDS) -> MongoClient[dict[str, Any]]:
    """Return a client, each of whose replies must come within these seconds. Raise SettingError."""
    milliseconds = _CONNECT_SECONDS * 1_000
    try:
        return MongoClient(
            url,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=int(seconds * 1_000),
            appname="cheeper-audit",
        )
    except (PyMongoError, ValueError):
        raise SettingError("MONGO_URL cannot be read") from None


def postgres_connection(database_url: str) -> Connection[tuple[Any, ...]]:
    """Return a connection that reads snapshots and writes nothing. Raise StoreUnavailableError or SettingError."""
    try:
        connection = connect(
            database_url, connect_timeout=_CONNECT_SECONDS, application_name="cheeper-audit", options=_PLANS
        )
    except OperationalError as error:
        raise StoreUnavailableError("The PostgreSQL at DATABASE_URL cannot be reached.") from error
    except ProgrammingError:
        raise SettingError("DATABASE_URL cannot be read") from None
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection
