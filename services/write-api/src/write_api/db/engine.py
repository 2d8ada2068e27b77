"""The connection pool."""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from write_api.database_url import sqlalchemy_url

CONNECT_SECONDS: Final = 3
POOL_SECONDS: Final = 3.0

NO_JIT: Final = "-c jit=off"
"""Every statement here is short. Where a plan is misjudged, compiling it took 50 ms to run it for 0.1 ms."""


def create_engine(database_url: str, *, application_name: str, pool_size: int = 10) -> AsyncEngine:
    """A pool that connects when it is first used, and gives up within a few seconds where it cannot."""
    return create_async_engine(
        sqlalchemy_url(database_url),
        isolation_level="READ COMMITTED",  # after the locks, a statement must see what others committed before them
        hide_parameters=True,  # an error's text may be logged, what authors write may not
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": application_name,
            "options": NO_JIT,
        },
    )
