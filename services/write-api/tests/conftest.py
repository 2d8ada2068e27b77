"""Fixtures that the tests of this package share."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import structlog
from hypothesis import settings

from cheeper_local.testing.servers import database
from write_api.db.engine import create_engine
from write_api.db.schema.migrate import migrate

settings.register_profile("cheeper", derandomize=True, deadline=None)
settings.load_profile("cheeper")

# Plain lines: to colour a traceback with all its local variables takes seconds.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="session")
def postgres_template(servers):
    """A database with the schema: to copy it takes a third of the time that the migrations take."""

    async def make_schema(url):
        pool = create_engine(url, application_name="test")
        await migrate(pool)
        await pool.dispose()

    with database(servers.shared("postgres").url) as url:
        asyncio.run(make_schema(url))
        yield url.rpartition("/")[2]


@pytest.fixture
async def engine(postgres_url):
    """A pool on a fresh database with the schema."""
    pool = create_engine(postgres_url, application_name="test")
    yield pool
    await pool.dispose()


@pytest.fixture
def running():
    """Run relays or consumers, each of which has `run(stop)`, for the duration of a block."""

    @asynccontextmanager
    async def run(*roles):
        stop = asyncio.Event()
        tasks = [asyncio.create_task(role.run(stop)) for role in roles]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    return run
