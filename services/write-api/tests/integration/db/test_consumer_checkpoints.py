"""The worker's checkpoints in the database, which move with what is handled, and its overdue commands."""

import time

import pytest
from sqlalchemy import event, text

from write_api.bus.unit_of_work import Checkpoint, LogState
from write_api.db import handled_commands
from write_api.db.consumer_checkpoints import PostgresCheckpoints
from write_api.db.handled_commands import PostgresReservations
from write_api.db.unit_of_work import PostgresTransactions

pytestmark = pytest.mark.proves(guarantee="idempotent-commands")

TOPIC = "commands"
OLD, NEW = "topic-1", "topic-2"


def logs(committed, end=100):
    """Return what the broker has of partitions, by the offsets that the group has committed."""
    return {partition: LogState(offset, end) for partition, offset in committed.items()}


def at(partition, offset, topic_id=OLD, since=0):
    return Checkpoint(topic=TOPIC, partition=partition, topic_id=topic_id, since=since, next_offset=offset)


@pytest.fixture
def checkpoints(engine):
    return PostgresCheckpoints(engine, TOPIC)


async def move(engine, *moved, crash=False):
    async with PostgresTransactions(engine).begin(set()) as work:
        await work.record([], moved)
        if crash:
            raise ZeroDivisionError


async def test_a_partition_begins_where_its_checkpoint_is(engine, checkpoints):
    """The group's offset counts for a partition without a checkpoint alone, as after an update of this service."""
    assert await checkpoints.assigned(OLD, logs({0: 3, 1: None})) == {0: 3, 1: 0}
    await move(engine, at(0, 7))
    assert await checkpoints.assigned(OLD, logs({0: None, 1: 9, 2: 4})) == {0: 7, 1: 0, 2: 4}
    assert (await checkpoints.backlog(60)).replaced_at is None


async def test_a_checkpoint_never_moves_back(engine, checkpoints):
    """A consumer that lost its partition, or reads a deleted topic, changes nothing."""
    await checkpoints.assigned(OLD, logs({0: None, 1: None}))
    await move(engine, at(1, 6), at(0, 5))
    await move(engine, at(0, 4), at(1, 8))
    await move(engine, at(0, 99, NEW))
    assert await checkpoints.assigned(OLD, logs({0: None, 1: None})) == {0: 5, 1: 8}


async def test_a_checkpoint_that_is_older_than_its_consumer_knows_stays(engine, checkpoints):
    """The database was set back, and what it lost must be handled again. Broken by an UPDATE without `since`."""
    await checkpoints.assigned(OLD, logs({0: None}))
    await move(engine, at(0, 5))
    await move(engine, at(0, 9, since=7))
    assert await checkpoints.read(OLD, [0, 1]) == {0: 5}
    assert await checkpoints.read(NEW, [0]) == {}
    await move(engine, at(0, 9, since=5))
    assert await checkpoints.read(OLD, [0]) == {0: 9}


async def test_another_topic_of_the_name_begins_anew_and_is_reported(engine, checkpoints):
    """The old one has lost what was accepted and not handled, and the time at which that was found stays."""
    await checkpoints.assigned(OLD, logs({0: None}))
    await move(engine, at(0, 5))
    before = time.time()
    assert await checkpoints.assigned(NEW, logs({0: None})) == {0: 0}
    found = (await checkpoints.backlog(60)).replaced_at
    assert abs(found - before) < 600  # the clocks of two processes of one machine
    await move(engine, at(0, 1, NEW))
    assert await checkpoints.assigned(NEW, logs({0: None})) == {0: 1}
    assert (await checkpoints.backlog(60)).replaced_at == found


@pytest.mark.parametrize(("committed", "start"), [(None, 0), (2, 2), (9, 4)])
async def test_a_log_that_ends_before_its_checkpoint_begins_anew_and_is_reported(engine, checkpoints, committed, start):
    """Kafka was restored from an older copy: the offsets of what comes now are those of what was lost. The group's
    offset is of the copy, and the other partition is as it was.
    """
    await checkpoints.assigned(OLD, logs({0: None, 1: None}))
    await move(engine, at(0, 5), at(1, 5))
    restored = {0: LogState(committed, 4), 1: LogState(None, 5)}
    assert await checkpoints.assigned(OLD, restored) == {0: start, 1: 5}
    assert (await checkpoints.backlog(60)).replaced_at is not None
    await move(engine, at(0, start + 1, since=start))
    assert await checkpoints.read(OLD, [0]) == {0: start + 1}


async def test_a_copy_that_has_got_new_messages_is_read_from_the_group_s_offset(engine, checkpoints):
    """The log's end is beyond the checkpoint again, and what came since the copy is behind it, not handled yet."""
    await checkpoints.assigned(OLD, logs({0: None}))
    await move(engine, at(0, 5))
    assert await checkpoints.assigned(OLD, logs({0: 2}, end=9)) == {0: 2}
    await move(engine, at(0, 3, since=2))
    assert await checkpoints.read(OLD, [0]) == {0: 5}
    await move(engine, at(0, 9, since=3))
    assert await checkpoints.read(OLD, [0]) == {0: 9}


async def test_a_checkpoint_moves_with_its_transaction_or_not_at_all(engine, checkpoints):
    """A failure after the checkpoint undoes it with the commands. Broken by a statement of its own after the commit."""
    await checkpoints.assigned(OLD, logs({0: None}))
    with pytest.raises(ZeroDivisionError):
        await move(engine, at(0, 5), crash=True)
    assert await checkpoints.assigned(OLD, logs({0: None})) == {0: 0}


async def test_a_checkpoint_costs_no_statement_beside_that_of_the_commands(engine, checkpoints):
    """It moves in the statement that records the outcomes. Broken by an UPDATE of its own."""
    await checkpoints.assigned(OLD, logs({0: None}))
    seen = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    async with engine.begin() as connection:
        await handled_commands.record(connection, [], [at(0, 5)])
    assert len(seen) == 1
    assert "INSERT INTO handled_commands" in seen[0]


async def test_commands_that_were_reserved_long_ago_and_have_no_outcome_are_overdue(engine, checkpoints):
    """A reserved command was accepted or is about to be; after a minute something is wrong. Nobody can learn anything
    of one whose record was deleted, so it does not count for ever.
    """
    reservations, now = PostgresReservations(engine), time.time_ns() // 1000
    for number, age in enumerate((0, 120, 3600, 8 * 24 * 3600)):
        message_id = f"00000000-0000-4000-8000-{number:012}"
        await reservations.reserve(message_id, b"digest", "key", now - age * 1_000_000)
    assert (await checkpoints.backlog(60)).overdue == 2
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE handled_commands SET outcome = '{}'"))
    assert (await checkpoints.backlog(60)).overdue == 0


async def test_a_command_that_was_not_accepted_is_not_overdue_until_a_repeat_is(engine, checkpoints):
    """Its message id stays its own. What was reserved again meanwhile stays accepted, and is as old as the repeat."""
    reservations, now = PostgresReservations(engine), time.time_ns() // 1000
    message_id, long_ago, later = "00000000-0000-4000-8000-00000000000a", now - 3_600_000_000, now - 120_000_000
    await reservations.reserve(message_id, b"digest", "key", long_ago)
    await reservations.withdraw(message_id, long_ago)
    assert (await checkpoints.backlog(60)).overdue == 0
    assert (await reservations.reserve(message_id, b"another", "key", now)).digest == b"digest"
    assert (await checkpoints.backlog(60)).overdue == 0
    assert (await reservations.reserve(message_id, b"digest", "key", later)).accepted
    await reservations.withdraw(message_id, long_ago)
    assert ((await checkpoints.backlog(60)).overdue, (await checkpoints.backlog(1_800)).overdue) == (1, 0)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE handled_commands SET outcome = '{}'"))
    await reservations.withdraw(message_id, later)
    assert (await reservations.reserve(message_id, b"digest", "key", now)).accepted
