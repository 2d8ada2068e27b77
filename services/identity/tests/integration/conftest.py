"""Fixtures of the integration tests: stores over a real database, as two processes have them."""

import asyncio

import pytest

from cheeper_local.testing.servers import database
from identity.db.schema.migrate import migrate
from identity.db.store import PostgresStore, create_engine


@pytest.fixture(scope="session")
def postgres_template(servers):
    """A database with the schema."""

    async def make_schema(url):
        engine = create_engine(url, application_name="test")
        await migrate(engine)
        await engine.dispose()

    with database(servers.shared("postgres").url) as url:
        asyncio.run(make_schema(url))
        yield url.rpartition("/")[2]


@pytest.fixture
async def engines(postgres_url):
    """The pools of two processes on one database."""
    made = [create_engine(postgres_url, application_name=f"test-{number}") for number in range(2)]
    yield made
    for engine in made:
        await engine.dispose()


@pytest.fixture
async def replicas(engines, new_service):
    """The use cases of two processes, which share nothing but the database."""
    made = [new_service(PostgresStore(engine)) for engine in engines]
    for each in made:
        await each.keyring.update()
    return made
