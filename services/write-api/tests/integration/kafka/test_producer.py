import asyncio
import os
import time
import uuid
from contextlib import suppress

import pytest

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.kafka.topics import COMMANDS
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.ids import new_id
from write_api.kafka import topics
from write_api.kafka.producer import MAX_QUEUED_MESSAGES, BrokerUnavailableError, CommandProducer

pytestmark = pytest.mark.proves(guarantee="transient-faults")

RETURNS_WITHIN_SECONDS = 30
SLOW = {"late both ways": {"delay": 0.05}, "throttled": {"rate": 50_000}}
UNAVAILABLE = {"responds too late": {"delay_back": 6.0}, "stalled": {"stalled": True}}
FOLLOWED = "a64a52cc-3ee9-4a15-918b-099e18b43119"


def some_command():
    """Return a command of a single key, whose partition has therefore seen the earlier ones."""
    command = Follow(follow_id=new_id(), from_author_id=new_id(), to_author_id=FOLLOWED)
    message_id = new_id()
    envelope = Envelope(
        message_id=message_id,
        type=command.TYPE,
        source="/test",
        time=0,
        key=command.key,
        correlation_id=message_id,
    )
    return command, envelope


async def send_until_taken(producer):
    deadline = time.monotonic() + RETURNS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with suppress(BrokerUnavailableError):
            await producer.send(*some_command())
            return
    pytest.fail(f"no command was taken within {RETURNS_WITHIN_SECONDS} s")


async def another_gets_its_id(broker):
    """A broker counts producers from the beginning again: the first one that it sees has the id of an older one, whose
    sequences then make no sense to it, which is fatal for that one.
    """
    producer = CommandProducer(KafkaConnection(broker.url))
    producer.start()
    await send_until_taken(producer)
    await producer.close()


async def goes_on_after_a_wipe(broker, *, notices):
    enough_on_a_slow_machine = 10
    producer = CommandProducer(KafkaConnection(broker.url), delivery_seconds=enough_on_a_slow_machine)
    producer.start()
    try:
        topics.ensure_topics(topics.admin_client(KafkaConnection(broker.url)), "")
        for _ in range(3):
            await producer.send(*some_command())
        broker.kill()
        if notices:
            with pytest.raises(BrokerUnavailableError):
                await producer.send(*some_command())
        broker.wipe()
        broker.start()
        topics.ensure_topics(topics.admin_client(KafkaConnection(broker.url)), "")
        if not notices:
            await another_gets_its_id(broker)
        await send_until_taken(producer)
        for _ in range(3):
            await producer.send(*some_command())
        assert not producer._disconnected.is_set()
    finally:
        await producer.close()


async def test_an_unavailable_broker_is_not_waited_for_long():
    """A command that cannot be sent fails well before its delivery would time out."""
    producer = CommandProducer(KafkaConnection("127.0.0.1:1"), delivery_seconds=60)
    producer.start()
    try:
        await eventually(producer._disconnected.is_set)
        async with asyncio.timeout(60):
            with pytest.raises(BrokerUnavailableError):
                await producer.send(*some_command())
    finally:
        producer._delivery_seconds = 0  # nothing in flight is waited for
        await producer.close()


@pytest.mark.parametrize("notices", [True, False])
@pytest.mark.extended
async def test_commands_are_taken_again_after_a_wiped_kafka_returns(own_kafka, notices):
    """A broker that forgot this producer accepts its commands again without a restart of the process, even if another
    producer has its id by now.
    """
    await goes_on_after_a_wipe(own_kafka, notices=notices)


@pytest.mark.variants
@pytest.mark.parametrize("notices", [True, False])
async def test_commands_are_taken_again_after_a_wiped_tansu_returns(own_tansu, notices):
    """Tansu refuses a producer that it forgot in its own way, and accepts commands again all the same."""
    await goes_on_after_a_wipe(own_tansu, notices=notices)


async def test_what_waits_for_a_broker_is_bounded():
    """A bounded number of commands waits for an unavailable broker, and the others fail at once."""
    producer = CommandProducer(KafkaConnection("127.0.0.1:1"), delivery_seconds=600)  # none leaves the queue meanwhile
    producer.start()
    await eventually(producer._disconnected.is_set)
    beyond = 50
    sends = (producer.send(*some_command()) for _ in range(MAX_QUEUED_MESSAGES + beyond))
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert {type(one) for one in results} == {BrokerUnavailableError}
    assert sum("Queue full" in str(one) for one in results) == beyond
    producer._delivery_seconds = 0  # nothing in flight is waited for
    await producer.close()


@pytest.fixture
async def behind(request, slow_kafka):
    """A producer to a broker behind a proxy, and its topic there."""
    if os.environ.get("BROKER") == "tansu":
        pytest.skip("Tansu learns in another way where its clients come")
    prefix = f"t{uuid.uuid4().hex}."
    await asyncio.to_thread(topics.ensure_topics, topics.admin_client(KafkaConnection(slow_kafka.address)), prefix)
    producer = CommandProducer(
        KafkaConnection(slow_kafka.address), prefix, delivery_seconds=getattr(request, "param", 2)
    )
    producer.start()
    yield producer, COMMANDS.named(prefix)
    await producer.close()


async def sent(producer, number):
    """Return the message ids of that many commands that the broker has acknowledged."""
    commands = [some_command() for _ in range(number)]
    await asyncio.gather(*(producer.send(*each) for each in commands))
    return [envelope.message_id for _, envelope in commands]


def ids(messages):
    return [envelope.message_id for _, _, envelope, *_ in messages]


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.parametrize("behind", [10], indirect=True)
@pytest.mark.extended
async def test_a_slow_kafka_is_waited_for(slow_kafka, behind, read_topic, how):
    """Each command arrives once, in order, and no send fails."""
    producer, topic = behind
    with slow_kafka.slow(**SLOW[how]):
        found = await sent(producer, 30)
    assert ids(await read_topic(topic, 30, slow_kafka.address)) == found


@pytest.mark.variants
@pytest.mark.parametrize("how", UNAVAILABLE)
async def test_a_kafka_that_does_not_respond_in_time_is_reported(slow_kafka, behind, read_topic, how):
    """An acknowledged command arrives once, an unacknowledged one at most once, and then sending goes on."""
    producer, topic = behind
    found = await sent(producer, 3)
    lost = some_command()
    with slow_kafka.slow(**UNAVAILABLE[how]), pytest.raises(BrokerUnavailableError):
        await producer.send(*lost)
    await send_until_taken(producer)
    found += await sent(producer, 3)
    there = ids(await read_topic(topic, 7, slow_kafka.address))
    assert [each for each in there if each in found] == found
    assert there.count(lost[1].message_id) <= 1
