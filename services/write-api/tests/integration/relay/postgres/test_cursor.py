"""The relay's statements: the cursor moves without waiting for the disk, and nothing is planned or waited for twice."""

import asyncio

import pytest
from psycopg import AsyncConnection

from cheeper_contracts.kafka.topics import partition_of
from cheeper_local.testing import eventually
from write_api import outbox
from write_api.bus.ids import new_id
from write_api.outbox.writer import CHANNEL
from write_api.relay.numbering import advance
from write_api.relay.postgres import cursor as cursors
from write_api.relay.postgres.cursor import CursorStore, LockLostError

pytestmark = pytest.mark.proves(guarantee="order")

KEY = new_id()


@pytest.fixture
async def connection(outbox_scene):
    async with await AsyncConnection.connect(outbox_scene.url, autocommit=True, **cursors.CONNECTION) as connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        await connection.execute("SET synchronous_commit = on")  # the tests' server is told not to
        yield connection


@pytest.fixture
async def store(connection):
    store = CursorStore(connection)
    await store.begin(await store.identity(), "t")
    return store


async def rows(outbox_scene, store, count):
    for _ in range(count):
        await outbox_scene.write(KEY)

    async def look():
        found = await store.read(await store.load(), count)
        return found if len(found) == count else None

    return await eventually(look)  # other databases of this server have transactions too


async def waits_for_the_disk(connection):
    found = await connection.execute("SHOW synchronous_commit")
    return await found.fetchone() == ("on",)


async def test_only_the_cursor_s_move_does_not_wait_for_the_disk(outbox_scene, connection, store):
    """A cursor that a crash sets back only repeats messages with the same sequences; its beginning and a rewind are
    durable before anything is sent. Broken by MOVE without its set_config, or by REWIND with it.
    """
    (row,) = await rows(outbox_scene, store, 1)
    cursor = await store.load()
    moved = advance(cursor.sent, {partition_of(KEY): [0]})
    async with connection.transaction():
        cursor = await store.move(cursor, row, row, moved)
        assert not await waits_for_the_disk(connection)
    assert await waits_for_the_disk(connection)
    assert await store.load() == cursor
    async with connection.transaction():
        await store.rewind(cursor, "t", dict.fromkeys(cursor.sent, 0))
        assert await waits_for_the_disk(connection)


async def test_a_cursor_that_another_relay_has_moved_stays_where_that_left_it(outbox_scene, store):
    """Neither its position nor its partitions change. Broken by an INSERT that is not FROM cursor."""
    (row,) = await rows(outbox_scene, store, 1)
    before = await store.load()
    partition = partition_of(KEY)
    cursor = await store.move(before, row, row, advance(before.sent, {partition: [0]}))
    for late in (store.move(before, row, row, advance(before.sent, {partition: [7]})), store.rewind(before, "t", {})):
        with pytest.raises(LockLostError):
            await late
    assert await store.load() == cursor


async def test_the_read_is_planned_once(outbox_scene, connection, store):
    """The plan is the same for every position. Broken by CONNECTION without its plan_cache_mode."""
    await rows(outbox_scene, store, 1)
    cursor = await store.load()
    for _ in range(20):
        await store.read(cursor, 1)
    found = await connection.execute(
        "SELECT sum(custom_plans) FROM pg_prepared_statements WHERE statement LIKE '%FROM outbox%'"
    )
    assert await found.fetchone() == (0,)


async def test_a_hint_that_comes_while_the_relay_works_ends_its_next_wait(outbox_scene, connection, store):
    """The outbox need not be read again before a wait."""
    async with outbox_scene.engine.begin() as writer:
        await outbox.hint(writer)
    await connection.execute("SELECT pg_sleep(0.1)")  # which takes in what comes meanwhile
    async with asyncio.timeout(60):
        await store.wait(60)
