"""The schema: made once, by however many, and what the tables in the code say."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from write_api.db.engine import create_engine
from write_api.db.schema.migrate import migrate, missing_revision, newest_revision
from write_api.db.schema.tables import metadata

pytestmark = pytest.mark.store


async def test_migrations_at_once_make_one_schema(postgres_url):
    """Each ends well, and the database then lacks nothing."""
    engine = create_engine(postgres_url, application_name="test")
    assert await missing_revision(engine) == newest_revision()
    assert await asyncio.gather(*(migrate(engine) for _ in range(3))) == [newest_revision()] * 3
    assert await missing_revision(engine) is None
    await engine.dispose()


async def test_a_newer_database_lacks_nothing(engine):
    """While a new version is rolled out, the old one goes on."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert await missing_revision(engine) is None


async def test_the_migrations_make_the_tables_that_the_code_has(engine):
    """No table, column, constraint or index of the write model differs."""

    def differences(sync):
        def own(name, kind, _parents):
            return kind != "table" or name in metadata.tables

        context = MigrationContext.configure(sync, opts={"include_name": own, "compare_server_default": True})
        return compare_metadata(context, metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
