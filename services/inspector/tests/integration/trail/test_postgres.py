"""The trail in a real PostgreSQL, as its role."""

from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from cheeper_audit.stores import StoreUnavailableError
from inspector.operations.entries import BusyError, KeyTakenError, NewEntry
from inspector.trail.postgres import PostgresTrail
from inspector.trail.schema import migrate

IDS = [f"6f9619ff-8b86-4011-b42d-00cf4fc964f{number}" for number in range(4)]


def entry(action_id, **fields):
    given = {"caller": None, "action": "drop", "parameters": {"id": "redis:3:17"}, "reason": "a 'test'"}
    return NewEntry(action_id=action_id, **{**given, **fields})


@pytest.fixture
async def url(postgres_url, tmp_path):
    """The URL of the role that adds to the trail. A second migration changes nothing."""
    password = tmp_path / "password"
    password.write_text("secret\n")
    name = f"operations_{uuid4().hex}"
    for _ in range(2):
        await migrate(postgres_url, password, name)
    parts = urlsplit(postgres_url)
    yield parts._replace(netloc=f"{name}:secret@{parts.netloc.rpartition('@')[2]}").geturl()
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


async def test_entries_and_outcomes(url):
    """An entry is found by its id and in the list, first without an outcome and then with one, which stays."""
    trail = PostgresTrail(url)
    first = await trail.begin(entry(IDS[0], caller="bob"))
    second = await trail.begin(entry(IDS[1]))
    assert (first.caller, first.parameters, first.reason, first.outcome) == (
        "bob",
        {"id": "redis:3:17"},
        "a 'test'",
        None,
    )
    with pytest.raises(KeyTakenError):
        await trail.begin(entry(IDS[0]))
    for outcome in ("succeeded", "failed"):
        await trail.end(IDS[0], outcome, ("one", "a\0b"))
    ended = await trail.one(IDS[0])
    assert (ended.outcome, ended.lines, ended.began_at) == ("succeeded", ("one", "a\ufffdb"), first.began_at)
    assert ended.ended_at >= ended.began_at
    assert await trail.before(None, 5) == (second, ended)
    assert await trail.before(second.number, 5) == (ended,)
    assert await trail.before(None, 1) == (second,)
    assert await trail.one(IDS[3]) is None


async def test_one_process_acts_at_a_time(url):
    """A turn is had by one at a time, and whoever takes it ends what another one has left behind."""
    trail, other = PostgresTrail(url), PostgresTrail(url)
    turn = await trail.turn()
    await trail.begin(entry(IDS[0]))
    with pytest.raises(BusyError):
        await other.turn()
    assert (await trail.one(IDS[0])).outcome is None
    await turn.release()
    await (await other.turn()).release()
    assert (await trail.one(IDS[0])).outcome == "unknown"


async def test_the_role_can_only_add_and_read(url):
    """No credentials of the process that acts can change or remove what was done, or say when it was."""
    await PostgresTrail(url).begin(entry(IDS[0]))
    forbidden = (
        "UPDATE operations.actions SET reason = 'another'",
        "DELETE FROM operations.actions",
        "TRUNCATE operations.actions CASCADE",
        "UPDATE operations.outcomes SET outcome = 'another'",
        "DELETE FROM operations.outcomes",
        "INSERT INTO operations.actions (began_at) VALUES (now())",
        "DROP TABLE operations.outcomes",
        "ALTER TABLE operations.actions DISABLE TRIGGER ALL",
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in forbidden:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


async def test_an_entry_without_a_reason_is_refused(url):
    """The table itself has no action without a reason."""
    with pytest.raises(StoreUnavailableError):
        await PostgresTrail(url).begin(entry(IDS[0], reason=""))


async def test_an_unavailable_server(postgres_url):
    """Every method says that the trail cannot be reached."""
    trail = PostgresTrail(postgres_url.rpartition("/")[0] + "/no_such_database")
    for call in (
        trail.turn,
        lambda: trail.begin(entry(IDS[0])),
        lambda: trail.one(IDS[0]),
        lambda: trail.before(None, 1),
    ):
        with pytest.raises(StoreUnavailableError):
            await call()


async def test_the_owner_of_the_database_makes_it(postgres_url, tmp_path):
    """A role that may create roles and schemas, and is no superuser, makes both, and may do so again."""
    password = tmp_path / "password"
    password.write_text("secret\n")
    owner, name = f"owner_{uuid4().hex}", f"operations_{uuid4().hex}"
    parts = urlsplit(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'secret'")
        connection.execute(f"GRANT CREATE ON DATABASE {parts.path[1:]} TO {owner}")
        url = parts._replace(netloc=f"{owner}:secret@{parts.netloc.rpartition('@')[2]}").geturl()
        for _ in range(2):
            await migrate(url, password, name)
        own = parts._replace(netloc=f"{name}:secret@{parts.netloc.rpartition('@')[2]}").geturl()
        assert await PostgresTrail(own).begin(entry(IDS[0]))
        connection.execute(f"DROP OWNED BY {owner} CASCADE")
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")
        connection.execute(f"DROP ROLE {owner}")
