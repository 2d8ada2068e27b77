"""The producer of the relay: what is on its way arrives in order and without a gap, or not at all."""

import asyncio

import pytest
from confluent_kafka import KafkaException

from cheeper_contracts.envelope import Envelope
from write_api.relay.numbering import Numbered
from write_api.relay.publisher import DeliveryError, Publisher

pytestmark = pytest.mark.proves(guarantee="order")

NEVER = asyncio.Event()


def message(sequence, payload=b"1", partition=0):
    id_ = f"00000000-0000-4000-8000-{sequence:012}"
    envelope = Envelope(message_id=id_, type="t", source="/s", time=1, key="k", correlation_id=id_, sequence=sequence)
    return Numbered(partition, envelope, payload)


@pytest.fixture
async def publisher(place):
    await asyncio.to_thread(place.make_topic, most=300_000)
    publisher = Publisher(place.bootstrap, place.topic)
    yield publisher
    await publisher.close()


def never_slow():
    raise AssertionError("the broker takes long")


async def test_batches_that_are_on_their_way_together_are_confirmed_each_by_itself(publisher):
    """A batch's offsets are those of its own messages, in their order, by partition."""
    first = publisher.send([message(1), message(1, partition=3), message(2)])
    second = publisher.send([message(3), message(2, partition=3)])
    assert await publisher.confirmed(second, NEVER, never_slow) == {0: [2], 3: [1]}
    assert await publisher.confirmed(first, NEVER, never_slow) == {0: [0, 1], 3: [0]}


async def test_nothing_is_delivered_behind_what_the_broker_refuses(place, publisher, read_topic):
    """A batch that was sent behind a refused one does not arrive, however late the relay hears of it. Broken by a
    producer without `enable.gapless.guarantee`, which goes on behind the gap.
    """
    assert await publisher.confirmed(publisher.send([message(1)]), NEVER, never_slow) == {0: [0]}

    async def send_behind_what_is_refused():
        publisher.send([message(2, b"1" * 400_000)])
        behind = publisher.send([message(sequence) for sequence in range(3, 1_000)])  # not all in one request with it
        await publisher.confirmed(behind, NEVER, lambda: None)

    with pytest.raises((DeliveryError, KafkaException)):
        await send_behind_what_is_refused()
    assert [envelope.sequence for _, _, envelope, _, _ in await read_topic(place.topic, 1)] == [1]
