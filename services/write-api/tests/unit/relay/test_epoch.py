"""Raising the epoch of a restored database."""

import asyncio

import pytest

from write_api.relay.cursor import DatabaseIdentity, RelayRefusedError
from write_api.relay.epoch import raise_epoch

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [f"key-{n}" for n in range(4)]


async def test_a_restored_database_is_relayed_into_a_new_log(database, broker, event_log, relay):
    """After the epoch is raised, the relay accepts the database and sends all its rows again, new ones last."""
    ids = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.identity = DatabaseIdentity(1, 2)
    await raise_epoch(database.connect, event_log)
    assert broker.topic_id == "topic-2"
    ids += database.write(*KEYS)
    await relay().run(asyncio.Event(), len(ids))
    assert sorted(broker.ids()) == sorted(ids)
    assert [row.position.epoch for row in database.rows] == [1] * 4 + [2] * 4


async def test_a_database_that_was_relayed_from_keeps_its_epoch_and_its_log(database, broker, event_log, relay):
    """Raising the epoch of the right database changes nothing."""
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    before = broker.ids()
    await raise_epoch(database.connect, event_log)
    assert (broker.ids(), database.current_epoch) == (before, 1)


async def test_the_epoch_is_not_raised_under_an_active_relay(database, event_log):
    """A database with an active relay is the right one, and its log must stay."""
    async with database.connect() as active:
        assert await active.lock()
        with pytest.raises(RelayRefusedError, match="a relay is active"):
            await raise_epoch(database.connect, event_log)


async def test_the_epoch_is_not_raised_without_the_first_rows(database, broker, event_log, relay):
    """The topic is then the only copy of the rows that retention has dropped, and stays."""
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.rows.pop(0)
    database.identity = DatabaseIdentity(1, 2)
    with pytest.raises(RelayRefusedError, match="no longer has its first rows"):
        await raise_epoch(database.connect, event_log)
    assert broker.topic_id == "topic-1"
