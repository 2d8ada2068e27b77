"""The role of the processes that run commands: what its stolen password opens, and what it does not."""

import re
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from write_api.db.engine import create_engine
from write_api.db.schema.app_role import ensure_app_role
from write_api.db.schema.tables import metadata

pytestmark = pytest.mark.store

FORBIDDEN = {
    "delete a message": "DELETE FROM outbox",
    "change a message": "UPDATE outbox SET payload = '[]'",
    "empty the outbox": "TRUNCATE outbox",
    "drop the outbox": "DROP TABLE outbox",
    "choose a message's place in the order": "INSERT INTO outbox (epoch, xid) VALUES (0, '3')",
    "choose a message's id": "INSERT INTO outbox (id) OVERRIDING SYSTEM VALUE VALUES (1)",
    "change a month of the outbox by its name": "DELETE FROM {partition}",
    "skip messages": "UPDATE relay_cursor SET id = 0",
    "forget what was sent": "DELETE FROM relay_partitions",
    "move the calendar of retention": "INSERT INTO seen_days (day) VALUES ('2999-01-01')",
    "pretend another schema": "UPDATE alembic_version SET version_num = '9999'",
    "empty a table": "TRUNCATE follows",
    "drop a table": "DROP TABLE authors CASCADE",
    "change a table": "ALTER TABLE authors DROP COLUMN email",
    "make a table": "CREATE TABLE of_the_thief (id int)",
    "make a schema": "CREATE SCHEMA of_the_thief",
    "make a role": "CREATE ROLE of_the_thief",
    "make a database": "CREATE DATABASE of_the_thief",
    "become the owner": "SET ROLE {owner}",
    "change the owner's password": "ALTER ROLE {owner} PASSWORD 'known'",
    "read passwords": "SELECT rolpassword FROM pg_authid",
    "read a file of the server": "SELECT pg_read_file('PG_VERSION')",
    "run a program on the server": "COPY (SELECT 1) TO PROGRAM 'true'",
    "change the server's settings": "ALTER SYSTEM SET fsync = off",
}


_PARTITION = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox'::regclass LIMIT 1"


def login(url: str, user: str, password: str) -> str:
    return re.sub("//[^@]*@", f"//{user}:{password}@", url)


@pytest.fixture
async def role(postgres_url):
    """Yield a name for a role, which belongs to the whole server, and remove the role."""
    name = f"app_of_{urlsplit(postgres_url).path[1:]}"[:60]
    yield name
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


async def ensure(url, file, password, role):
    file.write_text(f"{password}\n")
    engine = create_engine(url, application_name="test", pool_size=1)
    await ensure_app_role(engine, file, role)
    await engine.dispose()


async def test_what_a_stolen_password_does_not_open(postgres_url, tmp_path, role):
    """The server refuses whatever commands do not need, for the lack of a privilege."""
    await ensure(postgres_url, tmp_path / "password", "first", role)
    with psycopg.connect(postgres_url) as owner:
        partition = owner.execute(_PARTITION).fetchone()[0]
    names = {"owner": urlsplit(postgres_url).username, "partition": partition}
    allowed = []
    with psycopg.connect(login(postgres_url, role, "first"), autocommit=True) as connection:
        for act, statement in FORBIDDEN.items():
            try:
                connection.execute(statement.format_map(names))
            except InsufficientPrivilege:
                continue
            allowed.append(act)
    assert not allowed


async def test_the_role_writes_the_write_model(postgres_url, tmp_path, role):
    """Every table of the write model may be read and changed, also one that a later feature adds."""
    await ensure(postgres_url, tmp_path / "password", "first", role)
    with psycopg.connect(login(postgres_url, role, "first")) as connection:
        for table in metadata.tables:
            query = "SELECT bool_and(has_table_privilege(%s, p)) FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p"
            assert connection.execute(query, [table]).fetchone() == (True,), table


async def test_another_password_replaces_the_first(postgres_url, tmp_path, role):
    """After a rotation the new password opens the database, and the old one does not."""
    await ensure(postgres_url, tmp_path / "password", "first", role)
    await ensure(postgres_url, tmp_path / "password", "second", role)
    psycopg.connect(login(postgres_url, role, "second")).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(login(postgres_url, role, "first"))
