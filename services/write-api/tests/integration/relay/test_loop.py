"""The relay on a real Postgres and a real broker: everything committed arrives, in order, numbered without a gap."""

import asyncio
import random
from contextlib import AsyncExitStack
from itertools import groupby

import msgspec
import pytest
from sqlalchemy import text

from cheeper_contracts.kafka import topics
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api import outbox
from write_api.bus.ids import new_id
from write_api.db.unit_of_work import lock_of
from write_api.kafka.topics import admin_client
from write_api.relay import loop as relay_loop
from write_api.relay.postgres.cursor import connect

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [new_id() for _ in range(4)]
MANY_KEYS = [new_id() for _ in range(12)]

FOREIGN_ROW = """
INSERT INTO outbox (xid, message_id, type, source, time, key, correlation_id, payload)
VALUES ('9000000000', gen_random_uuid(), 't', '/s', 1, :key, gen_random_uuid(), '1')
"""


def ids(messages):
    return {envelope.message_id: envelope.sequence for _, _, envelope, _, _ in messages}


async def a_writer(outbox_scene, rng, transactions):
    """Run transactions over several keys, some slow, some rolled back. A key's messages count its commits, since the
    count is in a row under the key's lock.
    """
    for _ in range(transactions):
        keys = sorted(rng.sample(MANY_KEYS, rng.randint(1, 2)))
        async with outbox_scene.engine.connect() as connection:
            locks = sorted(map(lock_of, keys))
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:k AS bigint[])) k"), {"k": locks}
            )
            for key in keys:
                counted = await connection.execute(
                    text("UPDATE counts SET n = n + 1 WHERE key = :key RETURNING n"), {"key": key}
                )
                await outbox_scene.leave(connection, key, str(counted.scalar_one()))
            await connection.execute(text("SELECT pg_sleep(:s)"), {"s": rng.choice([0, 0, 0.05])})
            await (connection.rollback() if rng.random() < 0.2 else connection.commit())


async def test_all_that_commits_arrives_in_commit_order_per_key_with_two_relays_and_many_writers(
    outbox_scene, running, read_topic
):
    """Each key's messages count 1, 2, 3 …, rolled back ones never arrive, and a relay that takes over goes on where the
    other was. Broken by READ without its bound at the snapshot's xmin.
    """
    await outbox_scene.execute("CREATE TABLE counts (key text PRIMARY KEY, n int NOT NULL DEFAULT 0)")
    for key in MANY_KEYS:
        await outbox_scene.execute("INSERT INTO counts (key) VALUES (:key)", key=key)
    first, second = outbox_scene.relay(), outbox_scene.relay()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(second))
        async with running(first):
            await asyncio.gather(*(a_writer(outbox_scene, random.Random(seed), 15) for seed in range(6)))
        await asyncio.gather(*(a_writer(outbox_scene, random.Random(seed), 5) for seed in range(6, 12)))
        committed = {row.key: row.n for row in await outbox_scene.execute("SELECT key, n FROM counts")}
        kept = outbox_scene.by_sequence(await read_topic(outbox_scene.topic, sum(committed.values())))
    found = [(e.key, int(msgspec.json.decode(v)["message"])) for there in kept.values() for e, v in there]
    for key, sent in groupby(sorted(found, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        assert [count for _, count in sent] == list(range(1, committed[key] + 1))
    assert len(found) == sum(committed.values())


async def test_a_row_waits_for_transactions_that_began_before_its_own(outbox_scene):
    """The relay reads nothing beyond a transaction in flight, so its rows come before those of later transactions."""
    async with connect(outbox_scene.url) as store, outbox_scene.engine.connect() as late:
        await store.begin(await store.identity(), "t")
        cursor = await store.load()
        slow = await outbox_scene.leave(late, KEYS[0], "slow")
        quick = await outbox_scene.write(KEYS[1])
        assert await store.read(cursor, 10) == []
        await late.commit()
        # other databases of this server have transactions too
        rows = await eventually(lambda: both(store, cursor))
        assert [row.envelope.message_id for row in rows] == [slow, quick]


async def test_transactions_are_read_in_the_order_of_their_numbers(outbox_scene):
    """Transaction 9 comes before 10: transaction ids are numbers, though drivers treat them as text."""
    row = FOREIGN_ROW.replace("'9000000000'", "CAST(CAST(:xid AS text) AS xid8)")
    for xid in ("10", "9", "100"):
        await outbox_scene.execute(row, key=KEYS[0], xid=xid)
    async with connect(outbox_scene.url) as store:
        await store.begin(await store.identity(), "t")
        cursor = await store.load()
        read = await store.read(cursor, 10)
        assert [row.position.xid for row in read] == [9, 10, 100]


async def both(store, cursor):
    rows = await store.read(cursor, 10)
    return rows if len(rows) == 2 else None


async def test_a_log_that_is_wiped_while_the_relay_runs_is_filled_again_with_the_same_sequences(
    outbox_scene, running, read_topic
):
    """The relay notices the wipe, creates the topic and sends everything again from the start."""
    for _ in range(3):
        await outbox_scene.write(*KEYS)
    async with running(outbox_scene.relay()):
        before = ids(await read_topic(outbox_scene.topic, 12))
        await outbox_scene.delete_topic()
        await eventually(lambda: topic_is_there(outbox_scene))
        await outbox_scene.write(KEYS[0])
        messages = await read_topic(outbox_scene.topic, 13)
    outbox_scene.by_sequence(messages)
    assert before.items() < ids(messages).items()


@pytest.mark.variants
@pytest.mark.parametrize("outage", ["stop", "wipe"])
async def test_a_broker_that_was_away_or_came_back_empty_gets_everything(
    scene_on, own_kafka, running, read_topic, outage
):
    """Readiness exposes the outage; afterwards the log is complete, and its sequences are the same."""
    outbox_scene = scene_on(own_kafka)
    relay = outbox_scene.relay()
    async with running(relay):
        for _ in range(2):
            await outbox_scene.write(*KEYS)
        await eventually(lambda: relayed(outbox_scene, 8))
        await asyncio.to_thread(getattr(own_kafka, outage))
        await outbox_scene.write(*KEYS)
        await eventually(lambda: relay.readiness.reason(relay_loop.KAFKA))
        await asyncio.to_thread(own_kafka.start)
        await eventually(lambda: relay.readiness.reason(relay_loop.KAFKA) is None)
        await eventually(lambda: relayed(outbox_scene, 12))
    assert (
        sum(map(len, outbox_scene.by_sequence(await read_topic(outbox_scene.topic, 12, own_kafka.url)).values())) == 12
    )


async def relayed(outbox_scene, count):
    (found,) = await outbox_scene.execute("SELECT sum(last_sequence) AS sent FROM relay_partitions")
    return found.sent == count


async def topic_is_there(outbox_scene):
    def look():
        return (
            outbox_scene.topic in admin_client(KafkaConnection(outbox_scene.bootstrap)).list_topics(timeout=10).topics
        )

    return await asyncio.to_thread(look)


@pytest.mark.variants
@pytest.mark.parametrize(
    "changed",
    [
        "UPDATE relay_cursor SET system_identifier = 1",
        "UPDATE relay_cursor SET timeline_id = timeline_id + 1",
    ],
)
async def test_a_restored_database_is_refused_until_the_epoch_is_raised(outbox_scene, running, read_topic, changed):
    """Then a new log has the rows of the old epoch first, whatever their xids, and the new ones behind them."""
    await outbox_scene.write(*KEYS)
    await outbox_scene.relay_some(4)
    await outbox_scene.execute(FOREIGN_ROW, key=KEYS[0])
    await outbox_scene.execute(changed)
    relay = outbox_scene.relay()
    async with running(relay):
        await eventually(lambda: "raise-epoch" in (relay.readiness.reason(relay_loop.HISTORY) or ""))
        await outbox_scene.raise_epoch()
        last = await outbox_scene.write(KEYS[0])
        messages = await read_topic(outbox_scene.topic, 6)
    found = outbox_scene.by_sequence(messages)[topics.partition_of(KEYS[0])]
    assert [e.message_id for e, _ in found][-1] == last
    assert [v for e, v in found if e.key == KEYS[0]][-2] == b"1"


async def test_a_hint_wakes_the_relay(outbox_scene):
    """A writer's hint ends the wait at once; without one the wait ends with its time."""
    async with connect(outbox_scene.url) as store:
        waiting = asyncio.create_task(store.wait(60))
        async with asyncio.timeout(60):
            while not waiting.done():
                async with outbox_scene.engine.begin() as connection:
                    await outbox.hint(connection)
                await asyncio.wait({waiting}, timeout=0.1)
        await store.wait(0.01)


async def test_a_row_of_a_month_without_a_partition_is_kept(outbox_scene):
    """No insert fails without a partition, and the relay creates the missing ones again."""
    await outbox_scene.execute("DROP TABLE " + (await newest_partition(outbox_scene)))
    await outbox_scene.execute(
        "INSERT INTO outbox (created_at, message_id, type, source, time, key, correlation_id, payload)"
        " VALUES (now() + interval '5 years', gen_random_uuid(), 't', '/s', 1, 'k', gen_random_uuid(), '1')"
    )
    assert (await outbox_scene.execute("SELECT count(*) FROM outbox_default")).scalar_one() == 1
    async with connect(outbox_scene.url) as store:
        await store.create_partitions()
        await store.create_partitions()
    assert await newest_partition(outbox_scene)


async def newest_partition(outbox_scene):
    found = await outbox_scene.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^outbox_[0-9]' ORDER BY relname DESC LIMIT 1"
    )
    return found.scalar_one()
