"""The roles of the database: what their stolen passwords open, and what they do not."""

import re
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from write_api.db.engine import create_engine
from write_api.db.schema.migrate import make_outbox_partitions, migrate
from write_api.db.schema.roles import RIGHTS, ensure_owner, ensure_role
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
    "do its work with another's rights": "CREATE FUNCTION of_the_thief() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "watch a table": "CREATE TRIGGER it BEFORE INSERT ON follows EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "raise the epoch": "SELECT raise_outbox_epoch()",
    "make a month of the outbox": "SELECT make_outbox_partition('2099-01-01')",
    "drop a month of the outbox that has ended": "SELECT drop_outbox_partition('outbox_2020_01', 0, '0', 0)",
    "drop this month of the outbox": "SELECT drop_outbox_partition('{partition}', 9, '9', 9)",
    "drop another table than a month": "SELECT drop_outbox_partition('authors', 9, '9', 9)",
    "read the accounts": "SELECT * FROM identity.accounts",
    "make a database": "CREATE DATABASE of_the_thief",
    "become the owner": "SET ROLE {owner}",
    "change the owner's password": "ALTER ROLE {owner} PASSWORD 'known'",
    "read passwords": "SELECT rolpassword FROM pg_authid",
    "read a file of the server": "SELECT pg_read_file('PG_VERSION')",
    "run a program on the server": "COPY (SELECT 1) TO PROGRAM 'true'",
    "change the server's settings": "ALTER SYSTEM SET fsync = off",
}


_PARTITION = "SELECT max(relname) FROM pg_class WHERE relname ~ '^outbox_[0-9]{4}_[0-9]{2}$'"
_WITHOUT_TRANSACTION = ("CREATE DATABASE", "ALTER SYSTEM")
_SAMPLES = """
CREATE TABLE outbox_2020_01 PARTITION OF outbox FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
INSERT INTO relay_cursor (epoch, xid, id, system_identifier, timeline_id, current_epoch) VALUES (1, '1', 1, 1, 1, 1);
CREATE SCHEMA identity;
CREATE TABLE identity.accounts ();
"""

OF_THE_RELAY = {
    "skip messages",
    "move the calendar of retention",
    "raise the epoch",
    "make a month of the outbox",
    "drop a month of the outbox that has ended",
}
"""The work of the relay. None of it changes a message, or drops one of a month that has not ended."""

OF_MIGRATE = {
    *OF_THE_RELAY,
    *("delete a message", "change a message", "empty the outbox", "drop the outbox"),
    *("choose a message's place in the order", "choose a message's id", "change a month of the outbox by its name"),
    *("forget what was sent", "pretend another schema", "empty a table", "drop a table", "change a table"),
    *("make a table", "make a schema", "make a role", "do its work with another's rights", "watch a table"),
    "read the accounts",
}
"""Everything with the content of the database, and nothing with the server."""


@pytest.fixture
def samples(postgres_url):
    """An old month of the outbox, and an account."""
    with psycopg.connect(postgres_url) as owner:
        owner.execute(_SAMPLES)


def allowed(url, postgres_url, statements=FORBIDDEN):
    """Return the names of those statements that the server does not refuse the user for the lack of a privilege.

    Each that succeeds is rolled back.
    """
    with psycopg.connect(postgres_url) as owner:
        partition = owner.execute(_PARTITION).fetchone()[0]
    names = {"owner": urlsplit(postgres_url).username, "partition": partition}
    found = []
    with psycopg.connect(url) as connection:
        for act, statement in statements.items():
            connection.autocommit = statement.startswith(_WITHOUT_TRANSACTION)
            refused = False
            try:
                connection.execute(statement.format_map(names))
            except psycopg.Error as error:  # such as a message without content
                refused = isinstance(error, InsufficientPrivilege)
            connection.rollback()
            if not refused:
                found.append(act)
    return found


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize(("role", "may"), [("app", set()), ("relay", OF_THE_RELAY), ("audit", set())])
async def test_what_a_stolen_password_does_not_open(postgres_url, postgres_user, role, may):
    """The server refuses whatever the role's work does not need, for the lack of a privilege."""
    assert set(allowed(await postgres_user(role), postgres_url)) == may


async def test_a_stolen_password_of_the_relay_reads_no_address(postgres_url, postgres_user):
    """Of the tables of the write model it reads only the days that it has seen itself."""
    reads = {table: f"SELECT FROM {table}" for table in (*metadata.tables, "dead_letters")}
    assert not allowed(await postgres_user("relay"), postgres_url, reads)


async def test_a_stolen_password_of_the_audit_writes_nowhere(postgres_url, postgres_user):
    """It reads every table of the write model, and the server refuses each change of each of them."""
    url = await postgres_user("audit")
    tables = (*metadata.tables, "outbox", "relay_cursor", "dead_letters")
    changes = {
        f"{change} {table}": statement.format(table)
        for table in tables
        for change, statement in (
            ("insert into", "INSERT INTO {} DEFAULT VALUES"),
            ("delete from", "DELETE FROM {}"),
            ("empty", "TRUNCATE {}"),
        )
    }
    assert not allowed(url, postgres_url, changes)
    with psycopg.connect(url) as connection:
        for table in tables:
            connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        open_since = "SELECT xact_start FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        with psycopg.connect(postgres_url) as owner:
            owner.execute("SELECT 1")
            assert connection.execute(open_since).fetchall()


async def test_the_role_of_commands_writes_the_write_model(postgres_user):
    """Every table of the write model may be read and changed, also one that a later feature adds."""
    with psycopg.connect(await postgres_user("app")) as connection:
        for table in metadata.tables:
            query = "SELECT bool_and(has_table_privilege(%s, p)) FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p"
            assert connection.execute(query, [table]).fetchone() == (True,), table


async def test_another_password_replaces_the_first(postgres_user):
    """After a rotation the new password opens the database, and the old one does not."""
    first, second = await postgres_user("app"), await postgres_user("app", "second")
    psycopg.connect(second).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(first)


async def test_rights_of_an_older_release_are_taken(postgres_url, postgres_user):
    """A role has what the table of rights says, whatever it was granted before."""
    url = await postgres_user("audit")
    with psycopg.connect(postgres_url) as owner:
        owner.execute(f"GRANT DELETE ON follows TO {urlsplit(url).username}")
    delete = {"delete": "DELETE FROM follows"}
    assert allowed(url, postgres_url, delete)
    await postgres_user("audit")
    assert not allowed(url, postgres_url, delete)


@pytest.fixture
def named(empty_postgres_url):
    """The names of this test's owner and users of it, which belong to the whole server and are removed with it."""
    database = urlsplit(empty_postgres_url).path[1:]
    names = {role: f"{role}_of_{database}"[:60] for role in ("owner", "migrate", *RIGHTS)}
    yield names
    with psycopg.connect(empty_postgres_url) as connection:
        for name in reversed(names.values()):
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).rowcount:
                connection.execute(f"DROP OWNED BY {name} CASCADE")
        for name in reversed(names.values()):
            connection.execute(f"DROP ROLE IF EXISTS {name}")


@pytest.mark.parametrize("is_old", [False, True], ids=["new", "of before"])
async def test_migrate_acts_for_an_owner_that_cannot_log_in(empty_postgres_url, tmp_path, named, is_old):
    """A database that a superuser made before is handed over. Then `migrate` makes the schema and the other roles, and
    gives them other passwords, but has no power over the server.
    """
    (tmp_path / "migrate").write_text("first")
    superuser = create_engine(empty_postgres_url, application_name="test", pool_size=1)
    if is_old:
        await migrate(superuser)
        (tmp_path / "app").write_text("of before")
        await ensure_role(superuser, tmp_path / "app", named["app"], RIGHTS["app"])
    for _ in range(2):
        users = tuple(named[role] for role in RIGHTS)
        await ensure_owner(superuser, tmp_path / "migrate", named["owner"], named["migrate"], users)
    await superuser.dispose()

    def url(role, password="first"):  # noqa: S107 - of a test's user
        return re.sub("//[^@]*@", f"//{named[role]}:{password}@", empty_postgres_url)

    engine = create_engine(url("migrate"), application_name="test", pool_size=1)
    await migrate(engine)
    await make_outbox_partitions(engine)
    for password in ("before", "first"):
        for role in RIGHTS:
            (tmp_path / role).write_text(password)
            await ensure_role(engine, tmp_path / role, named[role], RIGHTS[role])
    await engine.dispose()
    with psycopg.connect(url("migrate")) as connection:
        connection.execute(_SAMPLES)
    assert set(allowed(url("migrate"), empty_postgres_url)) == OF_MIGRATE
    assert set(allowed(url("relay"), empty_postgres_url)) == OF_THE_RELAY
    assert not allowed(url("app"), empty_postgres_url)
    with pytest.raises(psycopg.OperationalError, match=r"not permitted to log in|password authentication failed"):
        psycopg.connect(url("owner"))
