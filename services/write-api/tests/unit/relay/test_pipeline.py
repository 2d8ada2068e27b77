"""Batches in flight: a second one is sent while the first is not acknowledged, and order and sequences stay."""

import asyncio

import pytest

from cheeper_local.testing import eventually
from write_api.relay import pipeline
from write_api.relay.loop import KAFKA

pytestmark = pytest.mark.proves(guarantee="order")

KEY = "key"


@pytest.fixture
def batch(monkeypatch):
    """Set the size of a batch."""
    return lambda rows: monkeypatch.setattr(pipeline, "BATCH", rows)


async def test_one_batch_is_sent_ahead_and_no_more(database, broker, relay, running, producers, batch):
    """Kafka always has work, and at most two batches are held in memory and repeated after a fault."""
    batch(4)
    async with running(relay()):
        ids = database.write(KEY)
        await eventually(lambda: broker.ids() == ids)
        broker.acknowledging = False
        ids += database.write(*[KEY] * 40)
        await eventually(lambda: producers[-1].in_flight == 8)
        broker.acknowledge()
        await eventually(lambda: broker.ids() == ids)
    assert (len(producers), producers[-1].max_in_flight) == (1, pipeline.MAX_IN_FLIGHT * 4)


async def test_a_limit_sends_nothing_ahead(database, broker, relay, producers, batch):
    """Step mode sends exactly its limit, however small the batches."""
    batch(1)
    ids = database.write(*[KEY] * 5)
    await relay().run(asyncio.Event(), 3)
    assert (broker.ids(), producers[-1].sent) == (ids[:3], [1, 2, 3])
    await relay().run(asyncio.Event(), 1)
    assert (broker.ids(), producers[-1].sent) == (ids[:4], [4])


async def test_a_stop_waits_for_the_batches_in_flight(database, relay, batch):
    """The next relay repeats nothing."""
    batch(4)
    stop = asyncio.Event()
    database.write(*[KEY] * 12)
    database.on_move = stop.set
    await relay().run(stop)
    assert database.cursor.position == database.rows[7].position


async def test_a_refused_batch_is_sent_again_with_those_behind_it(database, broker, relay, running, batch):
    """Their sequences are the same, without a gap or another order, once the broker accepts them."""
    batch(1)
    one = relay()
    async with running(one):
        ids = database.write(KEY)
        await eventually(lambda: broker.ids() == ids)
        ids += (late := database.write(*[KEY] * 3))
        broker.refused = {late[0]}
        database.disconnect()  # so that the first attempt meets the refusal
        await eventually(lambda: one.readiness.reason(KAFKA))
        broker.refused = set()
        await eventually(lambda: broker.ids() == ids)


async def test_a_slow_broker_is_exposed_and_waited_for(database, broker, relay, running, monkeypatch):
    """Readiness says that nothing is acknowledged, and the batch is not sent again."""
    monkeypatch.setattr("write_api.relay.kafka.publisher.SLOW_SECONDS", 0.01)
    one = relay()
    async with running(one):
        ids = database.write(KEY)
        await eventually(lambda: broker.ids() == ids)
        broker.acknowledging = False
        ids += database.write(KEY)
        await eventually(lambda: one.readiness.reason(KAFKA) == "the broker does not acknowledge")
        broker.acknowledge()
        await eventually(lambda: one.readiness.reason(KAFKA) is None)
    assert (broker.ids(), sum(map(len, broker.log.values()))) == (ids, 2)
