"""The schema: made once, by however many, and what the tables in the code say."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from write_api.bus.ids import new_id
from write_api.db.engine import create_engine
from write_api.db.schema import migrate as module
from write_api.db.schema.migrate import migrate
from write_api.db.schema.revision import missing_revision, newest_revision
from write_api.db.schema.tables import metadata

pytestmark = pytest.mark.store

_AUTHOR = """
INSERT INTO authors (author_id, username, email, email_unique_form, signed_up_at, sign_up_digest)
VALUES (:id, :username, :email, :form, 0, '')
"""


async def test_migrations_at_once_make_one_schema(empty_postgres_url):
    """Each ends well, and the database then lacks nothing."""
    engine = create_engine(empty_postgres_url, application_name="test")
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


async def test_addresses_get_their_current_form(empty_postgres_url):
    """Addresses of other letters get another unique form, unless it is another author's: then both keep theirs."""
    before = {
        "bob@bob.com": "bob@bob.com",
        "Straße@bob.com": "strasse@bob.com",
        "bob@exämple.com": "bob@exämple.com",
        "Bob@EXÄMPLE.com": "an earlier form",
        "bob@xn--mller-kva.com": "bob@xn--mller-kva.com",
        "bob@müller.com": "bob@müller.com",
    }

    def upgrade(connection, revision):
        config = module._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = create_engine(empty_postgres_url, application_name="test")
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0007")
        for number, (email, form) in enumerate(before.items()):
            row = {"id": new_id(), "username": f"u{number}", "email": email, "form": form}
            await connection.execute(text(_AUTHOR), row)
        await connection.run_sync(upgrade, "0008")
        rows = (await connection.execute(text("SELECT email, email_unique_form AS form FROM authors"))).all()
    after = {row.email: row.form for row in rows}
    await engine.dispose()
    assert after.pop("Straße@bob.com") == "straße@bob.com"
    assert sorted([after.pop("bob@exämple.com"), after.pop("Bob@EXÄMPLE.com")])[1] == "bob@xn--exmple-cua.com"
    assert after == {email: before[email] for email in ("bob@bob.com", "bob@xn--mller-kva.com", "bob@müller.com")}
