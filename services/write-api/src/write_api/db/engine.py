"""The connection pool."""

from __future__ import annotations

from typing import Final

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECT_SECONDS: Final = 3
POOL_SECONDS: Final = 3.0


def sqlalchemy_url(database_url: str) -> str:
    """SQLAlchemy's form of a libpq URL, for psycopg 3. Raises ValueError where it is no Postgres URL."""
    scheme, separator, rest = database_url.partition("://")
    if scheme not in {"postgresql", "postgres"} or not separator:
        raise ValueError("must be a URL that begins with postgresql://")
    try:
        return make_url(f"postgresql+psycopg://{rest}").render_as_string(hide_password=False)
    except Exception:  # noqa: BLE001 - SQLAlchemy's text repeats the URL, which holds a password
        raise ValueError("must be a URL such as postgresql://user:password@host:5432/database") from None


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
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": application_name},
    )
