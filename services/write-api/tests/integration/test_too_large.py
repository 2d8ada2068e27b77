"""Messages that a topic takes at no time, since whoever runs Kafka gave it a lower limit than ours: reported as what
they are, and nothing waits behind them.
"""

import asyncio
import os

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from structlog.testing import capture_logs

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_local.testing import eventually, until
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bootstrap import dead_letters
from write_api.bus.ids import new_id
from write_api.consumer import loop as consumer_loop
from write_api.kafka.topics import admin_client
from write_api.settings import from_env

LIMIT = 1_000
"""Bytes of a batch of messages, which those of our tests have room in where nothing in them is long."""
ENOUGH = 1_000_000

pytestmark = [
    pytest.mark.proves(guarantee="transient-faults"),
    pytest.mark.skipif(os.environ.get("BROKER") == "tansu", reason="Tansu's topics have no such limit"),
]


@pytest.fixture
def takes(kafka_bootstrap, topic_prefix):
    """Sets how many bytes a topic takes at a time."""
    admin = admin_client(KafkaConnection(kafka_bootstrap))

    def change(topic, most):
        entry = ConfigEntry("max.message.bytes", str(most), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic.named(topic_prefix), incremental_configs=[entry])
        admin.incremental_alter_configs([resource])[resource].result(60)
        asked = ConfigResource(ResourceType.TOPIC, topic.named(topic_prefix))

        def is_changed():
            try:
                configs = admin.describe_configs([asked])[asked].result(60)
            except KafkaException:  # a broker may not know a new topic yet
                return False
            return configs["max.message.bytes"].value == str(most)

        until(is_changed)

    return lambda topic, most: asyncio.to_thread(change, topic, most)


async def test_a_command_too_large_for_its_topic_is_our_fault(consumers, http_client, takes):
    """Its client learns that it was not accepted, without a promise that a repeat helps, and the log names the topic;
    commands of another size are taken meanwhile, and it too once the limit was raised.

    Fails where MessageTooLargeError is taken for BrokerUnavailableError.
    """
    async with http_client() as client:

        async def post(message, key):
            body = {"author_id": consumers.authors[0], "message": message}
            return await client.post("/cheep", json=body, headers={"Idempotency-Key": key})

        async def is_taken(message, key):
            return (await post(message, key)).status_code == 202

        async def is_ready():
            return (await client.get("/health/ready")).status_code == 200

        async def is_refused(message, key):
            return not await is_taken(message, key)

        large, key = "鳥" * 260, new_id()
        assert await is_taken("Hello", new_id())
        await takes(topics.COMMANDS, LIMIT)
        await eventually(lambda: is_refused(large, new_id()))
        with capture_logs() as lines:
            reply = await post(large, key)
        assert (reply.status_code, reply.json()["data"]["code"]) == (500, "internal")
        assert reply.json()["data"].keys() == {"code", "message"}
        assert "not accepted" in reply.json()["data"]["message"]
        assert "retry-after" not in reply.headers
        assert not any(secret in reply.text for secret in ("127.0.0.1", consumers.commands))
        (logged,) = [line for line in lines if line["log_level"] == "error"]
        assert consumers.commands in logged["reason"]
        assert await is_taken("Hello", new_id())
        await eventually(is_ready)
        await takes(topics.COMMANDS, ENOUGH)
        await eventually(lambda: is_taken(large, key))


async def test_many_commands_at_once_are_not_too_large(consumers, takes):
    """A topic that takes the largest of our commands takes however many small ones are sent together.

    Fails without `batch.size` in the producer's settings.
    """
    await takes(topics.COMMANDS, 100_000)
    command = PostCheep(cheep_id=new_id(), author_id=consumers.authors[0], message="Hello")
    envelope = Envelope(
        message_id=new_id(), type=command.TYPE, source="/t", time=1, key=command.key, correlation_id=new_id()
    )
    await consumers.producer.send(command, envelope)
    await asyncio.gather(*(consumers.producer.send(command, envelope) for _ in range(2_000)))


async def test_what_follows_from_an_event_and_is_too_large_is_parked_and_can_be_replayed(
    consumers, postgres_url, running, takes
):
    """The event waits with its reason, which names the topic, until somebody raised the limit; others are handled.

    Fails where MessageTooLargeError is taken for BrokerUnavailableError: the process manager then waits for ever.
    """
    one = consumers.process_manager()
    async with running(one, consumers.worker()):
        await takes(topics.COMMANDS, 10)
        await consumers.send(consumers.messages_of(consumers.signed(0)))
        await eventually(consumers.letters)
        await takes(topics.COMMANDS, ENOUGH)
        await consumers.send(consumers.messages_of(consumers.signed(1)))
        assert await consumers.wait_for_notifications(1) == [(1, "welcome")]
        assert one.readiness.reason(consumer_loop.MESSAGES) is None
        ((reason, error),) = await consumers.rows("SELECT reason, error FROM dead_letters")
        assert (reason, consumers.commands in error) == ("crashed", True)
        given = {
            "DATABASE_URL": postgres_url,
            "KAFKA_BOOTSTRAP_SERVERS": consumers.bootstrap,
            "TOPIC_PREFIX": consumers.prefix,
        }
        async with dead_letters.replays(from_env(given, "dead-letters")) as replays:
            replayed = [each async for each in replays[topics.EVENTS.name].of_key(consumers.authors[0])]
        assert [each.poison for each in replayed] == [None]
        assert await consumers.wait_for_notifications(2) == [(0, "welcome"), (1, "welcome")]


async def test_a_dead_letter_too_large_to_be_copied_is_in_its_table_alone(consumers, running, takes, read_topic):
    """It is logged, and nothing waits behind it: others are parked and copied, and the rest is handled.

    It fails if the delivery report of a copy is ignored.
    """
    await takes(topics.DEAD_LETTERS, LIMIT)
    one, large = consumers.process_manager(), b"{" + b" " * LIMIT
    (first, _), (second, _) = consumers.messages_of(consumers.signed(0), consumers.signed(1))
    async with running(one, consumers.worker()):
        with capture_logs() as lines:
            await consumers.send([(first, large), (second, b"{"), *consumers.messages_of(consumers.signed(2))])
            assert await consumers.wait_for_notifications(1) == [(2, "welcome")]
            await eventually(lambda: one.readiness.reason(consumer_loop.MESSAGES) is None)
            ((*_, value, _),) = await read_topic(topics.DEAD_LETTERS.named(consumers.prefix), 1)
    assert value == b"{"
    assert sorted(await consumers.letters()) == [(0, "malformed"), (1, "malformed")]
    (lost,) = [line for line in lines if line["event"] == "dead letter not copied"]
    assert (lost["log_level"], "size" in lost["reason"]) == ("warning", True)
