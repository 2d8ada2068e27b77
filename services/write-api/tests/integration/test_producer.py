import os
import time
from contextlib import suppress

import pytest

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.envelope import Envelope
from cheeper_local.servers import Tansu
from write_api.commands.ids import new_id
from write_api.kafka import topics
from write_api.kafka.producer import BrokerUnavailableError, CommandProducer

RETURNS_WITHIN_SECONDS = 30


@pytest.fixture
def tansu(tmp_path):
    server = Tansu(tmp_path / "tansu")
    server.start()
    yield server
    server.stop()


def some_command():
    command = Follow(follow_id=new_id(), from_author_id=new_id(), to_author_id=new_id())
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


async def goes_on_after_a_wipe(broker):
    producer = CommandProducer(broker.url, delivery_seconds=2)
    producer.start()
    try:
        topics.ensure_topics(topics.admin_client(broker.url), "")
        for _ in range(3):
            await producer.send(*some_command())
        broker.kill()
        with pytest.raises(BrokerUnavailableError):
            await producer.send(*some_command())
        broker.wipe()
        broker.start()
        topics.ensure_topics(topics.admin_client(broker.url), "")
        await send_until_taken(producer)
        for _ in range(3):
            await producer.send(*some_command())
    finally:
        await producer.close()


async def test_commands_are_taken_again_after_a_wiped_kafka_returns(own_kafka):
    """A broker that forgot this producer takes its commands again, without a restart of ours."""
    await goes_on_after_a_wipe(own_kafka)


@pytest.mark.skipif(os.environ.get("CHEEPER_TEST_SERVERS") == "containers", reason="Tansu is the local stack's alone")
async def test_commands_are_taken_again_after_a_wiped_tansu_returns(tansu):
    """Tansu refuses a producer that it forgot in ways of its own, and takes commands again all the same."""
    await goes_on_after_a_wipe(tansu)
