import asyncio
import time
from contextlib import suppress

import pytest

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.envelope import Envelope
from cheeper_local.testing import eventually
from write_api.commands.ids import new_id
from write_api.kafka import topics
from write_api.kafka.producer import MOST_WAITING, BrokerUnavailableError, CommandProducer

pytestmark = pytest.mark.proves(guarantee="transient-faults")

RETURNS_WITHIN_SECONDS = 30
FOLLOWED = "a64a52cc-3ee9-4a15-918b-099e18b43119"


def some_command():
    """One of a single key, whose partition has therefore seen those before it."""
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
    producer = CommandProducer(broker.url)
    producer.start()
    await send_until_taken(producer)
    await producer.close()


async def goes_on_after_a_wipe(broker, *, notices):
    producer = CommandProducer(broker.url, delivery_seconds=2)
    producer.start()
    try:
        topics.ensure_topics(topics.admin_client(broker.url), "")
        for _ in range(3):
            await producer.send(*some_command())
        broker.kill()
        if notices:
            with pytest.raises(BrokerUnavailableError):
                await producer.send(*some_command())
        broker.wipe()
        broker.start()
        topics.ensure_topics(topics.admin_client(broker.url), "")
        if not notices:
            await another_gets_its_id(broker)
        await send_until_taken(producer)
        for _ in range(3):
            await producer.send(*some_command())
        assert not producer._away.is_set()
    finally:
        await producer.close()


async def test_a_broker_that_is_known_to_be_away_is_not_waited_for_long():
    """A command that cannot be sent is told of well before its delivery would time out."""
    producer = CommandProducer("127.0.0.1:1", delivery_seconds=60)
    producer.start()
    try:
        await eventually(producer._away.is_set)
        async with asyncio.timeout(10):
            with pytest.raises(BrokerUnavailableError):
                await producer.send(*some_command())
    finally:
        producer._delivery_seconds = 0  # what is on its way is not waited for
        await producer.close()


@pytest.mark.parametrize("notices", [True, False])
async def test_commands_are_taken_again_after_a_wiped_kafka_returns(own_kafka, notices):
    """A broker that forgot this producer takes its commands again, without a restart of ours, even where another
    producer has its id by now.
    """
    await goes_on_after_a_wipe(own_kafka, notices=notices)


@pytest.mark.parametrize("notices", [True, False])
async def test_commands_are_taken_again_after_a_wiped_tansu_returns(own_tansu, notices):
    """Tansu refuses a producer that it forgot in ways of its own, and takes commands again all the same."""
    await goes_on_after_a_wipe(own_tansu, notices=notices)


async def test_what_waits_for_a_broker_is_bounded():
    """However many commands come while no broker answers, so many wait for it, and the others are told at once."""
    producer = CommandProducer("127.0.0.1:1")
    producer.start()
    beyond = 50
    sends = (producer.send(*some_command()) for _ in range(MOST_WAITING + beyond))
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert {type(one) for one in results} == {BrokerUnavailableError}
    assert sum("Queue full" in str(one) for one in results) == beyond
    await producer.close()
