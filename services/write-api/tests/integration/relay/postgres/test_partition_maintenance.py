"""The outbox as a table: it has no dead rows, and retention drops its old partitions."""

import asyncio

import pytest

from cheeper_contracts.kafka.topics import partition_of
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.ids import new_id
from write_api.relay import loop as relay_loop
from write_api.relay.kafka.event_log import EventLog
from write_api.relay.numbering import advance
from write_api.relay.postgres.cursor import RelayRefusedError, connect

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [new_id() for _ in range(4)]
OLD = "outbox_2020_01"
DAYS = 30
MOVES = 300
SMALL = 4 * 8192

PARTITIONS = r"SELECT relname AS name FROM pg_class WHERE relname ~ '^outbox_\d{4}_\d\d$'"
TABLES = """
SELECT relname, n_tup_ins, n_tup_upd, n_tup_del, n_dead_tup, pg_relation_size(relid) AS size FROM pg_stat_user_tables
WHERE relname ~ '^(outbox|relay)_'
"""


async def test_the_outbox_has_no_dead_rows_after_load_and_relaying(outbox_scene, running):
    """The relay neither updates nor deletes rows. Broken by a flag "sent" in the outbox."""
    async with running(outbox_scene.relay()):
        await asyncio.gather(*(a_writer(outbox_scene, 20) for _ in range(4)))
        await eventually(lambda: sent(outbox_scene, 320))
    await outbox_scene.engine.dispose()  # a session reports what it did at its end
    await eventually(lambda: inserted(outbox_scene, 320))
    tables = await outbox_scene.execute(TABLES)
    touched = [(row.n_tup_upd, row.n_tup_del, row.n_dead_tup) for row in tables if row.relname.startswith("outbox_")]
    assert touched
    assert set(touched) == {(0, 0, 0)}


async def a_writer(outbox_scene, transactions):
    for _ in range(transactions):
        await outbox_scene.write(*KEYS)


async def sent(outbox_scene, count):
    (found,) = await outbox_scene.execute("SELECT coalesce(sum(last_sequence), 0) AS sent FROM relay_partitions")
    return found.sent == count


async def inserted(outbox_scene, count):
    return (
        sum(row.n_tup_ins for row in await outbox_scene.execute(TABLES) if row.relname.startswith("outbox_")) == count
    )


async def test_the_cursor_s_tables_stay_small_however_often_it_moves(outbox_scene):
    """They have one row, or one per partition, and the next move that reads a page clears it of dead versions."""
    for _ in range(MOVES // 4):
        await outbox_scene.write(*KEYS)
    async with connect(outbox_scene.url) as store:
        await store.begin(await store.identity(), "t")
        cursor = await store.load()
        await eventually(lambda: all_of(store, cursor))
        for offset in range(MOVES):
            (row,) = await store.read(cursor, 1)
            moved = advance(cursor.sent, {partition_of(row.envelope.key): [offset]})
            cursor = await store.move(cursor, row, row, moved)
    await eventually(lambda: moved_so_often(outbox_scene))
    sizes = {row.relname: row.size for row in await outbox_scene.execute(TABLES) if row.relname.startswith("relay_")}
    assert set(sizes) == {"relay_cursor", "relay_partitions"}
    assert max(sizes.values()) <= SMALL, sizes


async def all_of(store, cursor):
    return len(await store.read(cursor, MOVES)) == MOVES


async def moved_so_often(outbox_scene):
    return {row.n_tup_upd for row in await outbox_scene.execute(TABLES) if row.relname.startswith("relay_")} == {MOVES}


# --- retention


@pytest.fixture
async def aged(outbox_scene):
    """An outbox with a row of January 2020 and one of today for each of the keys."""
    await outbox_scene.execute(
        f"CREATE TABLE {OLD} PARTITION OF outbox FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')"
    )
    await outbox_scene.execute("INSERT INTO seen_days SELECT current_date - generate_series(1, :days)", days=DAYS)
    await outbox_scene.write(*KEYS)
    await outbox_scene.execute(
        "INSERT INTO outbox (created_at, message_id, type, source, time, key, correlation_id, payload)"
        " SELECT '2020-01-15', gen_random_uuid(), type, source, time, key, correlation_id, payload FROM outbox"
    )
    return outbox_scene


async def is_there(outbox_scene, table=OLD):
    return (await outbox_scene.execute("SELECT to_regclass(:name) AS it", name=table)).scalar_one() is not None


async def drop(outbox_scene):
    async with connect(outbox_scene.url) as store:
        cursor, _ = await store.drop_partitions(await store.load(), DAYS)
        assert await store.load() == cursor
    return not await is_there(outbox_scene)


async def test_a_partition_is_dropped_once_all_of_it_is_sent(aged):
    """All its rows are before the cursor; this month's stays, sent or not. Broken by a check of the age alone."""
    await aged.relay_some(7)  # of eight
    assert not await drop(aged)
    await aged.relay_some(1)
    assert await drop(aged)
    (left,) = await aged.execute("SELECT count(*) AS n FROM outbox")
    assert left.n == 4


async def test_the_relay_drops_what_a_retention_lets_it(aged, running):
    """Without a retention it keeps everything."""
    await aged.relay_some(8)
    assert await is_there(aged)
    async with running(aged.relay(retention_days=DAYS)):
        await eventually(lambda: is_dropped(aged))


async def test_a_month_is_kept_while_the_days_since_have_not_been_seen(aged, running):
    """A clock that jumps ahead drops nothing, however old the rows are by it. Broken by a check of the clock alone."""
    await aged.execute("DELETE FROM seen_days WHERE day < current_date - 1")
    await aged.relay_some(8)
    relay = aged.relay(retention_days=DAYS)
    async with running(relay):
        await eventually(lambda: retained(relay) == 1)
        assert await is_there(aged)
        assert await days_seen(aged) == 2  # yesterday, and the day that the relay has added


def retained(relay):
    return relay.registry.get_sample_value("cheeper_write_api_outbox_months_retained")


async def days_seen(outbox_scene):
    return (await outbox_scene.execute("SELECT count(*) FROM seen_days")).scalar_one()


async def is_dropped(outbox_scene):
    return not await is_there(outbox_scene)


async def test_the_relay_makes_the_partitions_of_the_next_months(outbox_scene, running):
    """A missing partition, as each is once, is created in time. Broken by a loop that does not create them."""
    last = max(row.name for row in await outbox_scene.execute(PARTITIONS))
    await outbox_scene.execute(f"DROP TABLE {last}")
    async with running(outbox_scene.relay()):
        await eventually(lambda: is_there(outbox_scene, last))


async def test_no_writer_waits_for_a_partition_to_be_dropped(aged):
    """A drop that cannot lock at once is left for the next time. Broken by a drop without a time-out for its lock: it
    waits for a writer, and all other writers wait behind it.
    """
    await aged.relay_some(8)
    async with aged.engine.connect() as slow:
        await aged.leave(slow, KEYS[0], "slow")
        async with asyncio.timeout(60):
            assert not await drop(aged)
            await aged.write(KEYS[1])
        await slow.commit()
    assert await drop(aged)


async def test_a_row_that_comes_late_to_an_old_month_is_sent(aged, read_topic):
    """A transaction that began then and commits only after the drop leaves its row in the default partition."""
    await aged.relay_some(8)
    assert await drop(aged)
    await aged.execute(
        "INSERT INTO outbox (created_at, message_id, type, source, time, key, correlation_id, payload)"
        " SELECT '2020-01-15', gen_random_uuid(), type, source, time, key, correlation_id, payload FROM outbox LIMIT 1"
    )
    await aged.relay_some(1)
    assert len(await read_topic(aged.topic, 9)) == 9


async def test_a_wiped_log_is_not_filled_with_what_a_retention_has_left(aged, running):
    """Half a log would be worse than none. The first row still exists: broken by a check of that row alone."""
    await aged.relay_some(8)
    assert await drop(aged)
    await aged.delete_topic()
    relay = aged.relay()
    async with running(relay):
        await eventually(lambda: "no longer has its first rows" in (relay.readiness.reason(relay_loop.HISTORY) or ""))


async def test_the_epoch_is_not_raised_where_the_log_could_not_be_filled_again(aged):
    """The topic is the only copy of the rows that retention has dropped, and stays. Broken by `raise_epoch` without its
    check of the outbox's beginning.
    """
    await aged.relay_some(8)
    assert await drop(aged)
    await aged.execute("UPDATE relay_cursor SET system_identifier = 1")
    log = EventLog(KafkaConnection(aged.bootstrap), aged.prefix)
    before = await asyncio.to_thread(log.topic_id)
    with pytest.raises(RelayRefusedError, match="no longer has its first rows"):
        await aged.raise_epoch()
    assert await asyncio.to_thread(log.topic_id) == before
