"""The pipeline on real servers: few statements for a backlog, and order behind a refused batch."""

import asyncio

import pytest
from psycopg import AsyncConnection

from cheeper_local.testing import eventually
from write_api.bus.ids import new_id
from write_api.relay import loop as relay_loop
from write_api.relay import pipeline
from write_api.relay.postgres import sql

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [new_id() for _ in range(4)]


@pytest.fixture
def batch(monkeypatch):
    """Set the size of a batch."""
    return lambda rows: monkeypatch.setattr(pipeline, "BATCH", rows)


async def written(outbox_scene, transactions):
    for _ in range(transactions):
        await outbox_scene.write(*KEYS)


async def relayed(outbox_scene, count):
    (found,) = await outbox_scene.execute("SELECT sum(last_sequence) AS sent FROM relay_partitions")
    return found.sent == count


async def test_a_backlog_takes_two_statements_a_batch(outbox_scene, batch, monkeypatch):
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
    await written(outbox_scene, 250)
    monkeypatch.setattr(AsyncConnection, "execute", counted)
    await outbox_scene.relay_some(1)
    beside = in_one_run(batches=1)
    await outbox_scene.relay_some(999)
    assert await relayed(outbox_scene, 1000)
    assert len(in_one_run(batches=10)) <= len(beside)


async def test_a_batch_that_is_refused_is_sent_again_with_what_was_sent_behind_it(
    outbox_scene, running, read_topic, batch
):
    """The sequences are the same, without a gap or another order, once the broker accepts them."""
    batch(1)
    await asyncio.to_thread(outbox_scene.make_topic, most=10_000)
    await outbox_scene.write(KEYS[0])
    await outbox_scene.relay_some(1)
    async with outbox_scene.engine.begin() as connection:
        left = [await outbox_scene.leave(connection, KEYS[0], text) for text in ("x" * 20_000, "x", "x")]
    relay = outbox_scene.relay()
    async with running(relay):
        await eventually(lambda: relay.readiness.reason(relay_loop.KAFKA) not in {None, "starting"})
        assert [envelope.sequence for _, _, envelope, _, _ in await read_topic(outbox_scene.topic, 1)] == [1]
        await asyncio.to_thread(outbox_scene.take_all)
        await eventually(lambda: relayed(outbox_scene, 4))
    (there,) = outbox_scene.by_sequence(await read_topic(outbox_scene.topic, 4)).values()
    assert [envelope.message_id for envelope, _ in there][1:] == left
