"""The pool asks connections that were idle, and lets them keep what they have prepared."""

import psycopg
import pytest
from sqlalchemy import event, text

from cheeper_contracts.kafka import topics
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.ids import new_id
from write_api.consumer.dead_letters import PostgresDeadLetters
from write_api.db import engine as pool_of
from write_api.db import handled_commands
from write_api.db.engine import autocommitting

_PREPARED = text("SELECT statement FROM pg_prepared_statements")
_OFTEN = 8  # psycopg prepares what it has run five times


@pytest.fixture
async def one_connection(postgres_url):
    """A pool of one, on a fresh database with the schema."""
    pool = pool_of.create_engine(postgres_url, application_name="one", pool_size=1)
    yield pool
    await pool.dispose()


@pytest.fixture
def pings(one_connection, monkeypatch):
    """Grows with each question whether a connection is still there."""
    asked, dialect = [], one_connection.sync_engine.dialect
    ping = dialect.do_ping
    monkeypatch.setattr(dialect, "do_ping", lambda connection: asked.append(1) or ping(connection))
    return asked


async def one(pool):
    async with pool.connect() as connection:
        return (await connection.execute(text("SELECT 1"))).scalar_one()


async def test_a_connection_just_used_is_not_asked(one_connection, pings):
    """Asking costs a round trip, of some ten that a command takes."""
    for _ in range(3):
        await one(one_connection)

    assert not pings


async def test_an_idle_connection_that_was_closed_is_replaced(one_connection, pings, postgres_url, monkeypatch):
    """Whoever comes after a restart of the server hears nothing of it.

    Breaks where nothing is asked: then the first one after it fails.
    """
    await one(one_connection)
    monkeypatch.setattr(pool_of, "_FRESH_SECONDS", 0)
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as other:
        await other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'one'"
        )

    assert await one(one_connection) == 1
    assert len(pings) == 1


async def test_statements_stay_prepared(one_connection):
    """Statements over any number of ids stay prepared, also beside the worker's reads.

    It fails if ids are an IN list, which is another statement for each number, and if the dead letters are read within
    a transaction: psycopg forgets every prepared statement with the ROLLBACK at its end.
    """
    letters = PostgresDeadLetters(one_connection, KafkaConnection("127.0.0.1:1"), "", topics.COMMANDS)
    sent = []
    event.listen(one_connection.sync_engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    for count in range(1, _OFTEN + 1):
        async with one_connection.begin() as connection:
            await handled_commands.of_ids(connection, [new_id() for _ in range(count)])
        await letters.parked_keys({new_id()})
    async with autocommitting(one_connection).connect() as connection:
        prepared = (await connection.execute(_PREPARED)).scalars().all()

    assert len(set(sent[:-1])) == 2
    assert len(prepared) == 2
