"""The migrations and the role of the processes that serve."""

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url

from identity.db.schema.migrate import ROLE, check_of_database, migrate
from identity.db.schema.tables import SCHEMA, metadata
from identity.db.store import create_engine

pytestmark = pytest.mark.store


async def test_the_migrations_make_the_tables(engines):
    """The database after the migrations is the one that the code describes."""

    def differences(connection):
        options = {
            "version_table_schema": SCHEMA,
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        }
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    async with engines[0].connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_second_migration_changes_nothing(engines):
    """`migrate` may run at each start."""
    assert await migrate(engines[0]) == await migrate(engines[1]) == "0002"
    assert await check_of_database(engines[0])() is None


async def test_a_database_without_the_schema_is_not_ready(empty_postgres_url):
    """A process waits for the migration."""
    engine = create_engine(empty_postgres_url, application_name="test")
    assert "migrate" in await check_of_database(engine)()
    await engine.dispose()


async def test_the_role_reads_its_schema_alone(engines, postgres_url, tmp_path):
    """The role that serves may use identity's rows, and neither another schema's nor its own tables' form."""
    file = tmp_path / "password"
    file.write_text("of-the-role\n")
    await migrate(engines[0], file)
    url = make_url(postgres_url).set(username=ROLE, password="of-the-role").render_as_string(hide_password=False)
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE others (x int)")
    with psycopg.connect(url, autocommit=True) as connection:
        for table in metadata.tables:
            connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our names
        for refused in ("SELECT * FROM others", "DROP TABLE identity.accounts", "CREATE TABLE identity.more (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)
