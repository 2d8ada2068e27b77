"""The relay's loop between an outbox and a broker in memory."""

import asyncio
import random

import msgspec
import pytest
from structlog.testing import capture_logs

from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_local.testing import eventually
from write_api.relay.loop import HISTORY, KAFKA, NEEDS, POSTGRES
from write_api.relay.numbering import START
from write_api.relay.postgres.cursor import DatabaseIdentity

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [f"key-{n}" for n in range(12)]


async def relayed(broker, ids):
    await eventually(lambda: sorted(broker.ids()) == sorted(ids))


async def ready(*relays):
    await eventually(lambda: not any(relay.readiness.reason(need) for relay in relays for need in NEEDS))


async def refused(relay, need, text):
    await eventually(lambda: text in (relay.readiness.reason(need) or ""))


async def test_committed_messages_arrive_in_the_order_of_the_outbox(database, broker, relay, running):
    """Every committed row is sent once, numbered 1, 2, 3 … in its partition, and the relay is ready."""
    one, ids = relay(), [message_id for _ in range(20) for message_id in database.write(*KEYS)]
    async with running(one):
        await relayed(broker, ids)
        await ready(one)
        assert [envelope.message_id for log in broker.log.values() for envelope in log] == broker.ids()
        ids += database.write(*KEYS)
        await relayed(broker, ids)


async def test_a_row_waits_for_transactions_that_began_before_its_own(database, broker, relay, running):
    """The relay sends nothing beyond a transaction in flight, whose rows come first when it commits."""
    late = database.begin()
    slow = database.insert(late, KEYS[0])
    (quick,) = database.write(KEYS[0])
    async with running(relay()):
        await eventually(lambda: database.cursor is not None)
        assert broker.ids() == []
        database.commit(late)
        await eventually(lambda: broker.ids() == [slow, quick])


async def test_a_standby_is_ready_and_takes_over(database, broker, relay, running):
    """Only one relay is active, so that nothing is sent twice; a standby goes on when the active one stops."""
    first, second = relay(), relay()
    async with running(first):
        await ready(first)
        ids = database.write(*KEYS)
        await relayed(broker, ids)
        standby = asyncio.create_task(second.run(stop := asyncio.Event()))
        await ready(second)
    ids += database.write(*KEYS)
    await relayed(broker, ids)
    assert sum(map(len, broker.log.values())) == len(ids)
    stop.set()
    await standby


async def test_a_standby_checks_what_it_would_need(database, broker, relay, running):
    """A standby without the topic, the broker or the right database is not ready, though another relay is active."""
    database.write(*KEYS)
    async with database.connect() as active:
        assert await active.lock()
        await active.begin(database.identity, "topic")
        one = relay()
        async with running(one):
            await refused(one, KAFKA, "the topic is not there")
            broker.available = False
            await refused(one, KAFKA, "Broker transport failure")
            broker.available = True
            broker.create()
            await ready(one)
            database.identity = DatabaseIdentity(2, 1)
            await refused(one, HISTORY, "raise-epoch")
        assert broker.ids() == []


async def test_a_failure_between_sending_and_moving_the_cursor_repeats_the_same_sequences(database, broker, relay):
    """Messages that were sent and not recorded are sent again, and are recognizably the same."""
    ids = database.write(*KEYS)
    crashes = iter([OSError("killed")])

    def crash_once():
        for crash in crashes:
            raise crash

    database.on_move = crash_once
    await relay().run(asyncio.Event(), len(KEYS))
    assert sorted(broker.ids()) == sorted(ids)
    assert sum(map(len, broker.log.values())) == 2 * len(ids)


async def test_a_broken_connection_ends_the_run_with_its_lock(database, broker, relay, running):
    """The relay starts again at the cursor, under a new lock, and its readiness has exposed the reason."""
    one = relay()
    async with running(one):
        await ready(one)
        with capture_logs() as lines:
            database.disconnect()
            ids = database.write(*KEYS)
            await relayed(broker, ids)
    assert [line["reason"] for line in lines if line["event"] == "waiting"] == ["no answer: OperationalError"]


async def test_a_relay_whose_cursor_was_moved_starts_again_at_the_new_cursor(database, broker, relay, running):
    """A relay that has lost its lock without noticing changes nothing, and repeats only what it had sent."""
    one, ids = relay(), database.write(*KEYS)
    async with running(one):
        await relayed(broker, ids)
        await eventually(lambda: database.cursor.position == database.rows[-1].position)
        database.cursor = msgspec.structs.replace(database.cursor, position=START)
        ids += database.write(*KEYS)
        with capture_logs() as lines:
            await eventually(lambda: [line for line in lines if line.get("reason") == "no answer: LockLostError"])


@pytest.mark.parametrize("runs", [True, False])
async def test_a_wiped_log_is_filled_again_with_the_same_sequences(database, broker, relay, running, runs):
    """The topic's id in the cursor shows the wipe, at the start and while the relay runs."""
    ids = database.write(*KEYS)
    if runs:
        async with running(relay()):
            await relayed(broker, ids)
            before = broker.sequences()
            broker.wipe()
            ids += database.write(*KEYS)
            await eventually(lambda: broker.topic_id == "topic-2")
            await relayed(broker, ids)
    else:
        await relay().run(asyncio.Event(), len(KEYS))
        before = broker.sequences()
        broker.wipe()
        await relay().run(asyncio.Event(), len(KEYS))
    assert before.items() <= broker.sequences().items()


async def test_an_acknowledgement_without_an_offset_removes_nothing(database, broker, relay, running):
    """After such a delivery the relay sends again, and the log keeps what it has."""
    ids = database.write(*KEYS)
    async with running(relay()):
        await relayed(broker, ids)
        broker.repeats_have_offsets = False
        ids += database.write(*KEYS)
        await relayed(broker, ids)
    assert not any(broker.truncated.values())


async def test_remains_of_a_wiped_log_are_removed(database, broker, relay):
    """A message that was in flight during the wipe has a sequence that follows nothing."""
    ids = [*database.write(*KEYS), *database.write(*KEYS)]
    await relay().run(asyncio.Event(), len(ids))
    partition = next(partition for partition, log in broker.log.items() if log)
    in_flight = broker.log[partition][-1]
    broker.wipe()
    broker.create()
    broker.log[partition].append(in_flight)
    await relay().run(asyncio.Event(), len(ids))
    assert sorted(broker.ids()) == sorted(ids)


async def test_a_wiped_log_is_not_filled_without_the_first_rows(database, broker, relay, running):
    """Half a log would be worse than none: the relay refuses, and waits for an operator."""
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    broker.wipe()
    database.rows.pop(0)
    one = relay()
    async with running(one):
        await refused(one, HISTORY, "no longer has its first rows")
    assert broker.ids() == []


async def test_a_fresh_database_does_not_add_to_the_log_of_another_one(database, relay, running):
    """Its sequences would begin again and look like repeats."""
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.cursor = None
    one = relay()
    async with running(one):
        await refused(one, HISTORY, "never sent")


async def test_another_database_is_refused(database, broker, relay, running):
    """A database with another system identifier than the cursor's is not relayed from."""
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.identity, one, before = DatabaseIdentity(2, 1), relay(), broker.ids()
    database.write(*KEYS)
    async with running(one):
        await refused(one, HISTORY, "raise-epoch")
    assert broker.ids() == before


async def test_an_unavailable_server_is_waited_for(database, broker, relay, running):
    """Whichever server is unavailable, readiness exposes it, and everything arrives afterwards."""
    database.available, one, ids = False, relay(), database.write(*KEYS)
    async with running(one):
        await refused(one, POSTGRES, "no answer")
        database.available, broker.available = True, False
        await refused(one, KAFKA, "Broker transport failure")
        broker.available, broker.mismatch = True, True
        await refused(one, KAFKA, "3 partitions")
        broker.mismatch = False
        await relayed(broker, ids)
        await ready(one)


@pytest.mark.parametrize("limit", [1, 5])
async def test_a_limit_ends_the_relay_after_exactly_that_many_messages(database, broker, relay, limit):
    """Step mode sends that many domain messages and no more, and outcomes do not count; the next step goes on."""
    ids = [message_id for key in KEYS for message_id in database.write(key)]
    outcome = database.write(KEYS[0], type_=CommandHandled.TYPE)
    await relay().run(asyncio.Event(), limit)
    assert len(broker.ids()) == limit
    await relay().run(asyncio.Event(), len(ids) - limit)
    assert set(ids) <= set(broker.ids()) <= {*ids, *outcome}


async def test_partitions_are_dropped_only_with_a_retention_and_a_complete_log(database, broker, relay, running):
    """A wiped log must be filled from the outbox, so nothing is dropped before the log was checked."""
    ids = database.write(*KEYS)
    async with running(relay()):
        await relayed(broker, ids)
    assert database.dropped == []
    async with running(relay(retention_days=30)):
        await eventually(lambda: database.dropped == [30])


@pytest.mark.parametrize("seed", range(12))
async def test_any_sequence_of_faults_leaves_every_message_in_order(database, broker, relay, running, seed):
    """Whatever fails in between, each partition holds all rows in the order of the outbox, numbered without a gap."""
    rng, ids = random.Random(seed), []
    faults = [
        database.disconnect,
        lambda: setattr(broker, "available", False),
        lambda: setattr(broker, "acknowledging", False),
        lambda: broker.refused.update(ids[-2:]),
        broker.wipe,
        lambda: None,
    ]
    async with running(relay(), relay()):
        for _ in range(12):
            late = database.begin()
            slow = database.insert(late, rng.choice(KEYS))
            ids += database.write(*rng.sample(KEYS, 3))
            rng.choice(faults)()
            await asyncio.sleep(rng.choice([0, 0.002, 0.005]))
            database.commit(late)
            ids.append(slow)
            broker.available = True
            broker.refused.clear()
            broker.acknowledge()
        await relayed(broker, ids)
        await eventually(lambda: database.cursor.position == database.rows[-1].position)
        sequences = broker.sequences()
    order = {row.envelope.message_id: number for number, row in enumerate(database.rows)}
    for partition in broker.log:
        numbers = [order[sequences[place]] for place in sorted(sequences) if place[0] == partition]
        assert numbers == sorted(numbers)
