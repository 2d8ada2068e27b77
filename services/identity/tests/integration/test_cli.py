"""The command line on a real database: each role that ends by itself."""

import asyncio

import pytest
from sqlalchemy import text

from identity.cli import main
from identity.db.store import PostgresStore, create_engine

pytestmark = pytest.mark.store


def rows(url, query):
    """The rows of a query."""

    async def read():
        engine = create_engine(url, application_name="test")
        async with engine.connect() as connection:
            found = (await connection.execute(text(query))).all()
        await engine.dispose()
        return [tuple(row) for row in found]

    return asyncio.run(read())


def make_account(url):
    """An account of a provider, and its id."""

    async def make():
        engine = create_engine(url, application_name="test")
        async with PostgresStore(engine).begin() as transaction:
            account_id = "a64a52cc-3ee9-4a15-918b-099e18b43119"
            await transaction.account_of_subject("https://id.example.org", "alice", account_id)
        await engine.dispose()
        return account_id

    return asyncio.run(make())


def test_a_life_of_a_database(empty_postgres_url, monkeypatch, capsys):
    """`migrate` makes the schema, `rotate-keys` the first key and then the next one, `roles` sets and takes roles."""
    monkeypatch.setenv("DATABASE_URL", empty_postgres_url)
    assert (main(["migrate"]), main(["migrate"])) == (0, 0)
    assert capsys.readouterr().out == "schema at revision 0002\n" * 2
    for keys in (1, 2, 2):
        assert main(["rotate-keys"]) == 0
        assert rows(empty_postgres_url, "SELECT count(*) FROM identity.signing_keys") == [(keys,)]
    assert main(["roles", "nobody@example.org", "operator"]) == 1
    assert capsys.readouterr().err == "account does not exist\n"
    account_id = make_account(empty_postgres_url)
    for roles in (["operator"], []):
        assert main(["roles", account_id, *roles]) == 0
        assert rows(empty_postgres_url, "SELECT roles FROM identity.accounts") == [(roles,)]
    assert main(["roles", account_id, "admin"]) == 1
