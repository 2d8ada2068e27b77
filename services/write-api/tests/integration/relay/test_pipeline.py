"""The pipeline on real servers: few statements for a backlog, and order behind a refused batch."""

import asyncio

import pytest
from psycopg import AsyncConnection

from cheeper_local.testing import eventually
from write_api.bus.ids import new_id
from write_api.relay import loop as relay_loop
from write_api.relay import pipeline, sql

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [new_id() for _ in range(4)]


@pytest.fixture
def batch(monkeypatch):
    """Set the size of a batch."""
    return lambda rows: monkeypatch.setattr(pipeline, "BATCH", rows)


async def written(place, transactions):
    for _ in range(transactions):
        await place.write(*KEYS)


async def relayed(place, count):
    (found,) = await place.execute("SELECT sum(last_sequence) AS sent FROM relay_partitions")
    return found.sent == count


async def test_a_backlog_takes_two_statements_a_batch(place, batch, monkeypatch):
    """A batch takes one read, and one statement that moves the cursor in a transaction of its own. Broken by a move in
    two statements.
    """
    asked, execute = [], AsyncConnection.execute

    async def counted(connection, query, *given, **options):
        found = await execute(connection, query, *given, **options)
        if query != sql.READ or found.rowcount:  # one that finds nothing waits for other databases' transactions
            asked.append(query if isinstance(query, str) else query.decode())
        return found

    def in_one_run(*, batches):
        last = max(at for at, query in enumerate(asked) if query.startswith("LISTEN"))
        assert asked[last:].count(sql.READ) <= batches
        assert asked[last:].count(sql.MOVE) <= batches
        return [query for query in asked[last:] if query not in (sql.READ, sql.MOVE)]

    batch(100)
    await written(place, 250)
    monkeypatch.setattr(AsyncConnection, "execute", counted)
    await place.relay_some(1)
    beside = in_one_run(batches=1)
    await place.relay_some(999)
    assert await relayed(place, 1000)
    assert len(in_one_run(batches=10)) <= len(beside)


async def test_a_batch_that_is_refused_is_sent_again_with_what_was_sent_behind_it(place, running, read_topic, batch):
    """The sequences are the same, without a gap or another order, once the broker accepts them."""
    batch(1)
    await asyncio.to_thread(place.make_topic, most=10_000)
    await place.write(KEYS[0])
    await place.relay_some(1)
    async with place.engine.begin() as connection:
        left = [await place.leave(connection, KEYS[0], said) for said in ("x" * 20_000, "x", "x")]
    relay = place.relay()
    async with running(relay):
        await eventually(lambda: relay.readiness.reason(relay_loop.KAFKA) not in {None, "starting"})
        assert [envelope.sequence for _, _, envelope, _, _ in await read_topic(place.topic, 1)] == [1]
        await asyncio.to_thread(place.take_all)
        await eventually(lambda: relayed(place, 4))
    (there,) = place.by_sequence(await read_topic(place.topic, 4)).values()
    assert [envelope.message_id for envelope, _ in there][1:] == left
