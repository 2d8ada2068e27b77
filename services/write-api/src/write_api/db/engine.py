"""The connection pool."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from write_api.db.url import connect_parameters, sqlalchemy_url

POOL_SECONDS: Final = 3.0
_FRESH_SECONDS: Final = 1.0

# Every statement here is short. Where a plan is misjudged, compiling it took 50 ms to run it for 0.1 ms.
_OPTIONS: Final = "-c idle_in_transaction_session_timeout=10s -c jit=off"


def create_engine(database_url: str, *, application_name: str, pool_size: int = 10) -> AsyncEngine:
    """Return a pool that connects when it is first used, and gives up within a few seconds if it cannot."""
    engine = create_async_engine(
        sqlalchemy_url(database_url),
        isolation_level="READ COMMITTED",  # after the locks, a statement must see what others committed before them
        hide_parameters=True,  # an error's text may be logged, what authors write may not
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        connect_args=connect_parameters(application_name, _OPTIONS),
    )
    _ping_idle_connections(engine)
    return engine


def autocommitting(engine: AsyncEngine) -> AsyncEngine:
    """Return the same pool with each statement in a transaction of its own: one round trip instead of three.

    Pure reads use it: their transaction would end with a ROLLBACK, after which psycopg has forgotten every statement
    that the connection had prepared.
    """
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _ping_idle_connections(engine: AsyncEngine) -> None:
    """Ping a connection that was idle before it is used, and replace all connections if it does not answer.

    `pool_pre_ping` would ping each time, one round trip in addition to the ten or so of a command.
    """
    pool, dialect = engine.sync_engine.pool, engine.sync_engine.dialect

    @event.listens_for(pool, "checkin")
    def note(_connection: object, entry: ConnectionPoolEntry) -> None:
        entry.info["used"] = time.monotonic()

    @event.listens_for(pool, "checkout")
    def ping(connection: Any, entry: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - entry.info.get("used", time.monotonic()) < _FRESH_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError("the server no longer knows this connection") from error
