"""The publisher over a producer in memory."""

import asyncio

import pytest
from confluent_kafka import KafkaException

from cheeper_contracts.kafka.envelope import Envelope
from write_api.relay.kafka import publisher as module
from write_api.relay.kafka.publisher import DeliveryError, Publisher
from write_api.relay.numbering import NumberedMessage

pytestmark = pytest.mark.proves(guarantee="order")

NEVER = asyncio.Event()


def message(sequence, partition=0):
    id_ = f"00000000-0000-4000-8000-{sequence:012}"
    envelope = Envelope(message_id=id_, type="t", source="/s", time=1, key="k", correlation_id=id_, sequence=sequence)
    return NumberedMessage(partition, envelope, b"1")


@pytest.fixture
def producer(broker, new_producer):
    broker.create()
    return new_producer()


@pytest.fixture
def publisher(producer):
    return Publisher(producer, "events")


def never_slow():
    raise AssertionError("the broker is slow")


async def send(publisher, *messages):
    return await publisher.send(messages, NEVER, never_slow)


async def acknowledged(publisher, delivery):
    return await publisher.acknowledged(delivery, NEVER, never_slow)


async def test_batches_in_flight_are_acknowledged_each_by_itself(publisher):
    """A batch's offsets are those of its own messages, in their order, by partition."""
    first = await send(publisher, message(1), message(1, partition=3), message(2))
    second = await send(publisher, message(3), message(2, partition=3))
    assert await acknowledged(publisher, second) == {0: [2], 3: [1]}
    assert await acknowledged(publisher, first) == {0: [0, 1], 3: [0]}


async def test_only_the_first_message_to_a_partition_is_waited_for(publisher):
    """A broker that has acknowledged nothing of a producer in a partition would accept a gap there."""
    first = await send(publisher, message(1), message(2), message(1, partition=3))
    assert first.offsets == {0: [0], 3: [0]}
    assert first.left == 1
    await acknowledged(publisher, first)
    assert (await send(publisher, message(3), message(2, partition=3))).left == 2


async def test_nothing_is_delivered_behind_a_refused_message(publisher, broker):
    """The producer stops, and sends nothing more."""
    broker.refused = {message(2).envelope.message_id}
    delivery = await send(publisher, message(1), message(2), message(3))
    with pytest.raises(DeliveryError):
        await acknowledged(publisher, delivery)
    with pytest.raises(KafkaException):
        await send(publisher, message(4))
    assert [envelope.sequence for envelope in broker.log[0]] == [1]


async def test_an_acknowledgement_without_an_offset_is_a_failure(publisher, broker):
    """A leader that took over may recognise a repeat without its offset, which is no sign of a wiped log."""
    broker.repeats_have_offsets = False
    with pytest.raises(DeliveryError):
        await send(publisher, message(1))


async def test_a_broker_that_does_not_acknowledge_is_given_up_at_last(publisher, broker, monkeypatch):
    """The delivery fails after a time without any acknowledgement, after it was reported slow."""
    monkeypatch.setattr(module, "SLOW_SECONDS", 0)
    monkeypatch.setattr(module, "_STALLED_SECONDS", 0.02)
    broker.acknowledging, slow = False, []
    with pytest.raises(DeliveryError, match="no acknowledgement"):
        await publisher.send([message(1)], NEVER, lambda: slow.append(True))
    assert slow


async def test_a_stop_ends_the_wait(publisher, broker):
    """A relay that is stopped does not wait for a broker that is slow."""
    broker.acknowledging, stop = False, asyncio.Event()
    stop.set()
    assert await publisher.send([message(1)], stop, never_slow) is None


async def test_a_closed_publisher_discards_its_messages(publisher, producer, broker):
    """The next producer sends them again."""
    broker.acknowledging, stop = False, asyncio.Event()
    stop.set()
    await publisher.send([message(1)], stop, never_slow)
    await publisher.close()
    assert (producer.purged, producer.in_flight) == (True, 0)
