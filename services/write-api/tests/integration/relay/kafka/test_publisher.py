"""The publisher on a real broker: messages in flight arrive in order and without a gap, or not at all."""

import asyncio

import pytest
from confluent_kafka import KafkaException

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.relay.kafka.publisher import DeliveryError, Publisher, gapless_producer
from write_api.relay.numbering import NumberedMessage

pytestmark = pytest.mark.proves(guarantee="order")

NEVER = asyncio.Event()


def message(sequence, payload=b"1", partition=0):
    id_ = f"00000000-0000-4000-8000-{sequence:012}"
    envelope = Envelope(message_id=id_, type="t", source="/s", time=1, key="k", correlation_id=id_, sequence=sequence)
    return NumberedMessage(partition, envelope, payload)


@pytest.fixture
async def publisher(outbox_scene):
    await asyncio.to_thread(outbox_scene.make_topic, most=300_000)
    publisher = Publisher(gapless_producer(KafkaConnection(outbox_scene.bootstrap)), outbox_scene.topic)
    yield publisher
    await publisher.close()


def never_slow():
    raise AssertionError("the broker takes long")


async def sent(publisher, *messages, slow=never_slow):
    return await publisher.send(messages, NEVER, slow)


async def acknowledged(publisher, *messages):
    return await publisher.acknowledged(await sent(publisher, *messages), NEVER, never_slow)


@pytest.mark.parametrize("before", [0, 1])
async def test_nothing_is_delivered_behind_what_the_broker_refuses(outbox_scene, publisher, read_topic, capfd, before):
    """Messages behind a refused one do not arrive, even if that is the producer's first in its partition.
    Broken by a producer without `enable.gapless.guarantee`, which goes on behind the gap.
    """
    for sequence in range(1, before + 1):
        await acknowledged(publisher, message(sequence))
    await acknowledged(publisher, message(1, partition=5))

    async def send_what_is_refused():
        behind = [message(sequence) for sequence in range(before + 2, 1_000)]  # not all in one request with it
        batch = await sent(publisher, message(before + 1, b"1" * 400_000), *behind, slow=lambda: None)
        await publisher.acknowledged(batch, NEVER, lambda: None)

    with pytest.raises((DeliveryError, KafkaException)):
        await send_what_is_refused()
    await publisher.close()
    assert "FATAL" not in capfd.readouterr().err  # a line that is no JSON, and names the broker's host
    there = await read_topic(outbox_scene.topic, 1)
    assert [envelope.sequence for partition, _, envelope, _, _ in there if partition == 0] == [*range(1, before + 1)]
