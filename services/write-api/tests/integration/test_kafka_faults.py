"""Kafka frozen, short of replicas or refusing us for now, for each of write-api's four users of it: waited for and
reported, nothing lost, nothing parked, nothing twice, and all well again without a restart.
"""

import asyncio
import os
import uuid

import pytest
from structlog.testing import capture_logs

from cheeper_contracts.http.responses import RETRY_AFTER_SECONDS
from cheeper_contracts.kafka import topics
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.ids import new_id
from write_api.consumer import loop as consumer_loop
from write_api.consumer.process_manager import SUBSCRIPTION as OF_EVENTS
from write_api.consumer.worker import SUBSCRIPTION as OF_COMMANDS
from write_api.kafka.topics import admin_client, ensure_topics
from write_api.relay import loop as relay

pytestmark = [
    pytest.mark.variants("who"),
    pytest.mark.proves(guarantee="transient-faults"),
    pytest.mark.skipif(os.environ.get("BROKER") == "tansu", reason="Tansu knows no rules of who may do what"),
]


@pytest.fixture
def kafka_bootstrap(faulty_kafka):
    return faulty_kafka.url


@pytest.fixture
def topic_prefix(request, faulty_kafka):
    """Delete nothing, because the broker ends with the module."""
    prefix = f"t{uuid.uuid4().hex}."
    if "too few replicas" in request.node.name:
        faulty_kafka.make_with_an_absent_replica({topic.named(prefix): topic.partitions for topic in topics.TOPICS})
    return prefix


@pytest.fixture
def fault(faulty_kafka, topic_prefix):
    """A fault of the broker by name, for a topic and a consumer group."""

    def named(name, topic=topics.COMMANDS, group=""):
        return {
            "frozen": faulty_kafka.frozen,
            "too few replicas": lambda: faulty_kafka.too_few_replicas(topic.named(topic_prefix)),
            "refuses writes": lambda: faulty_kafka.refuses_writes(topic.named(topic_prefix)),
            "refuses reads": lambda: faulty_kafka.refuses_reads(topic.named(topic_prefix)),
            "refuses the group": lambda: faulty_kafka.refuses_group(topic_prefix + group),
        }[name]()

    return named


def whys(role, names=consumer_loop.NEEDS):
    """Return the reason why a role is not ready, or None if it is."""
    found = [why for name in names if (why := role.readiness.reason(name))]
    assert not any("127.0.0.1" in why for why in found), found
    return found


async def ready(*roles, names=consumer_loop.NEEDS):
    await eventually(lambda: not any(whys(role, names) for role in roles))


# --- the producer of the HTTP role ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["frozen", "refuses writes", "too few replicas"])
async def test_an_asynchronous_command_is_unavailable(consumers, http_client, fault, running, name):
    """It gets that response within its time, with the id to repeat it by, and repeated it is done once."""
    author = consumers.authors[0]

    async with http_client() as client:

        async def post(cheep_id, key=None):
            headers = {"Idempotency-Key": key} if key else {}
            body = {"cheep_id": cheep_id, "author_id": author, "message": "Hello"}
            return await client.post("/cheep", json=body, headers=headers)

        async def is_ready():
            reply = await client.get("/health/ready")
            assert "127.0.0.1" not in reply.text
            needs = reply.json()["data"]
            assert (reply.status_code == 200) == all(each["ok"] for name, each in needs.items() if name != "events")
            return needs["kafka"]["ok"]

        async def is_taken(cheep_id, key):
            reply = await post(cheep_id, key)
            assert reply.status_code in {202, 503}
            return reply.status_code == 202

        async def refused(cheep_id):
            reply = await post(cheep_id)
            return None if reply.status_code == 202 else reply

        async def is_not_ready():
            return not await is_ready()

        first, second, third = (new_id() for _ in range(3))
        await eventually(is_ready)
        assert (await post(first)).status_code == 202
        with fault(name):
            reply = await eventually(lambda: refused(second))  # brokers learn of a rule in their own time
            assert (reply.status_code, reply.json()["data"]["code"]) == (503, "unavailable")
            assert reply.headers["retry-after"] == str(RETRY_AFTER_SECONDS)
            assert "127.0.0.1" not in reply.text
            await eventually(is_not_ready)
        key = reply.json()["meta"]["message_id"]
        await eventually(lambda: is_taken(second, key))
        await eventually(is_ready)
        assert (await post(third)).status_code == 202
    async with running(consumers.worker()):
        await eventually(lambda: is_posted(consumers, {first, second, third}))
    assert await consumers.letters() == []


async def is_posted(consumers, cheep_ids):
    """Each has its cheep and its one outcome. What the broker was given before it responded may come twice."""
    found = await consumers.rows(
        "SELECT cheep_id::text, (SELECT count(*) FROM outbox WHERE type LIKE '%cheep-posted%') AS sent FROM cheeps"
    )
    assert {row.cheep_id for row in found} <= cheep_ids
    assert {row.sent for row in found} <= {len(found)}
    return len(found) == len(cheep_ids)


# --- the relay --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["frozen", "refuses writes", "too few replicas"])
async def test_a_relay_waits_for_kafka(outbox_scene, kafka_bootstrap, topic_prefix, fault, running, read_topic, name):
    """It says so for as long as nothing is confirmed, and then sends all, whatever comes twice with its sequence."""
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    one, authors = outbox_scene.relay(), [new_id() for _ in range(20)]
    async with running(one):
        await ready(one, names=relay.NEEDS)
        await outbox_scene.write(*authors)
        await read_topic(outbox_scene.topic, 20, outbox_scene.bootstrap)
        with fault(name, topics.EVENTS):
            await outbox_scene.write(*authors)
            await eventually(lambda: whys(one, relay.NEEDS))
            if name == "refuses writes":  # it tries again and again, and is not ready in between
                with capture_logs() as lines:
                    await eventually(lambda: [line["event"] for line in lines].count("this relay is active") >= 3)
                assert "ready" not in [line["event"] for line in lines]
        await outbox_scene.write(*authors)
        found = await read_topic(outbox_scene.topic, 60, outbox_scene.bootstrap)
        await ready(one, names=relay.NEEDS)
    assert sum(len(each) for each in outbox_scene.by_sequence(found).values()) == 60


# --- the worker and the process managers ------------------------------------------------------------------------------

OF_CONSUMERS = [
    ("worker", "refuses reads", topics.COMMANDS),
    ("worker", "frozen", topics.COMMANDS),
    ("worker", "refuses the group", topics.COMMANDS),
    ("process-manager", "refuses reads", topics.EVENTS),
    ("process-manager", "frozen", topics.EVENTS),
    ("process-manager", "refuses the group", topics.EVENTS),
    ("process-manager", "refuses writes", topics.COMMANDS),
    ("process-manager", "too few replicas", topics.COMMANDS),
]


@pytest.mark.parametrize(("who", "name", "topic"), OF_CONSUMERS)
async def test_consumers_wait_for_kafka(consumers, fault, running, who, name, topic):
    """Whoever meets the fault says so; then each event, of before, meanwhile and after, has led to its command once."""
    roles = {"worker": consumers.worker(), "process-manager": consumers.process_manager()}
    group = {"worker": OF_COMMANDS, "process-manager": OF_EVENTS}[who].group
    days = iter(range(60))  # whoever follows again within a day is not notified of again
    events = [consumers.messages_of(*(consumers.followed(n % 2, 2, next(days)) for n in range(20))) for _ in range(3)]
    async with running(*roles.values()):
        await ready(*roles.values())
        await consumers.send(events[0])
        await consumers.wait_for_notifications(20)
        with fault(name, topic, group):
            sending = asyncio.create_task(consumers.send(events[1]))
            await eventually(lambda: whys(roles[who]))
        await sending
        await ready(*roles.values())
        await consumers.send(events[2])
        assert len(await consumers.wait_for_notifications(60)) == 60
        assert await consumers.letters() == []
    (left,) = await consumers.rows("SELECT count(*) FROM outbox WHERE type = 'cheeper.author-notified.v1'")
    assert left.count == 60


async def test_a_dead_letter_that_cannot_be_copied_holds_up_nothing(consumers, fault, running):
    """A message that is parked while no copy can be sent is parked once, with its error; others are handled, and the
    log names the message without a copy.

    It fails if `park` raises for a copy.
    """
    one, behind = consumers.process_manager(), consumers.worker()
    async with running(one, behind):
        await ready(one, behind)
        with fault("refuses writes", topics.DEAD_LETTERS), capture_logs() as lines:
            await consumers.send(consumers.messages_of(consumers.posted(0, "sorry"), consumers.followed(0, 1)))
            await consumers.wait_for_notifications(1)
            await eventually(lambda: [line for line in lines if line["event"] == "dead letter not copied"])
            await ready(one, behind)
    assert await consumers.letters() == [(0, "crashed")]
