"""Raising the epoch of a database that has lost what was sent."""

import asyncio

import pytest

from cheeper_contracts.kafka import topics
from write_api.relay.epoch import raise_epoch
from write_api.relay.kafka.publisher import DeliveryError, Publisher
from write_api.relay.postgres.cursor import DatabaseIdentity, RelayRefusedError

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [f"key-{n}" for n in range(4)]


@pytest.fixture
def raised(database, event_log, new_publisher):
    """Raise the epoch."""
    return lambda: raise_epoch(database.connect, event_log, new_publisher)


async def relay_and_lose(database, relay):
    """Send some messages that the database then loses. Return the ids of the kept and of the lost ones."""
    kept = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    copy = database.snapshot()
    lost = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.restore(copy)
    return kept, lost


async def lose_in_the_middle(database, broker, relay):
    """Lose the last messages of the database, and of one partition's log all behind the cursor. Return the ids of the
    rows that are kept and of the messages that are lost and in the log.
    """
    ids = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    cursor = database.cursor
    for key in [*KEYS, *KEYS]:
        ids += database.write(key)
    copy = database.snapshot()
    lost = database.write(*KEYS)
    await relay().run(asyncio.Event(), 3 * len(KEYS))
    database.restore(copy)
    database.cursor = cursor
    partition = topics.partition_of(KEYS[0])
    del broker.log[partition][cursor.sent[partition].last_offset + 1 :]  # nothing more had arrived there
    missing = set(lost) - set(broker.ids())
    database.rows.pop(0)  # as retention does
    return ids, {*lost} - missing


async def test_a_restored_database_is_relayed_into_a_new_log(database, broker, relay, raised):
    """After the epoch is raised, the relay accepts the database and sends all its rows again, new ones last."""
    ids, _ = await relay_and_lose(database, relay)
    await raised()
    assert broker.topic_id == "topic-2"
    ids += database.write(*KEYS)
    await relay().run(asyncio.Event(), len(ids))
    assert sorted(broker.ids()) == sorted(ids)
    assert [row.position.epoch for row in database.rows] == [1] * 4 + [2] * 4


@pytest.mark.parametrize("promoted", [False, True])
async def test_a_database_that_has_what_was_sent_keeps_its_epoch_and_its_log(database, broker, relay, raised, promoted):
    """Raising the epoch of the right database changes nothing, on a new timeline too."""
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    before = broker.ids()
    if promoted:
        database.restore(database.snapshot())
    await raised()
    assert (broker.ids(), database.current_epoch, broker.topic_id) == (before, 1, "topic-1")


async def test_the_epoch_is_not_raised_under_an_active_relay(database, raised):
    """A database with an active relay is the right one, and its log must stay."""
    async with database.connect() as active:
        assert await active.lock()
        with pytest.raises(RelayRefusedError, match="a relay is active"):
            await raised()


async def test_a_log_that_is_the_only_copy_of_dropped_rows_is_continued(database, broker, relay, raised):
    """The lost messages stay, and all later ones follow with the next sequences, without a gap."""
    kept, lost = await relay_and_lose(database, relay)
    database.rows.pop(0)  # as retention does
    new = database.write(*KEYS)
    await raised()
    await relay().run(asyncio.Event(), len(new))
    assert broker.topic_id == "topic-1"
    assert sorted(broker.ids()) == sorted([*kept, *lost, *new])
    assert database.cursor.identity == database.identity


async def test_rows_that_the_kept_log_lacks_in_the_middle_are_sent_behind_the_lost_ones(
    database, broker, relay, raised
):
    """A partition may be behind others when the primary dies. The second call does nothing, whatever the first did."""
    ids, lost = await lose_in_the_middle(database, broker, relay)
    await raised()
    between = broker.ids()
    await raised()
    assert broker.ids() == between
    new = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(new))
    assert sorted(broker.ids()) == sorted({*ids, *lost, *new})


class Interrupted(Publisher):
    """A publisher whose broker acknowledges so many messages, and then no more."""

    def __init__(self, whole, at_most):
        self._whole, self._at_most = whole, at_most

    async def send(self, messages, *rest):
        delivery = await self._whole.send(messages[: self._at_most], *rest)
        await self._whole.acknowledged(delivery, *rest)
        raise DeliveryError("the broker has failed")

    async def close(self):
        await self._whole.close()


@pytest.mark.parametrize("sent", [0, 1])
async def test_a_call_that_failed_halfway_is_repeated_without_a_duplicate(
    database, broker, relay, raised, event_log, new_publisher, sent
):
    """The second call finds in the log what the first one sent, and sends the rest."""
    await lose_in_the_middle(database, broker, relay)
    with pytest.raises(DeliveryError):
        await raise_epoch(database.connect, event_log, lambda: Interrupted(new_publisher(), sent))
    await raised()
    new = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(new))
    assert sorted(broker.ids()) == sorted({*broker.ids()})
    assert {*new} <= {*broker.ids()}


async def test_the_log_of_another_database_is_not_continued(database, broker, relay, raised):
    """Transaction ids begin anew there, so that new rows might be ordered before the cursor."""
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.rows.pop(0)
    database.identity = DatabaseIdentity(2, 1)
    with pytest.raises(RelayRefusedError, match="no longer has its first rows"):
        await raised()
    assert broker.topic_id == "topic-1"
