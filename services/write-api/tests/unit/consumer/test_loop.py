"""The consumer loop between a topic and a write model in memory."""

import asyncio

import msgspec
import pytest
from confluent_kafka import KafkaError
from structlog.testing import capture_logs

from cheeper_contracts.kafka.dead_letters import BEHIND, MALFORMED
from cheeper_local.testing import eventually
from write_api.consumer.loop import GROUP, KAFKA, MESSAGES, NEEDS
from write_api.consumer.worker import decode

pytestmark = pytest.mark.proves(guarantee="poison")

B = "00000000-0000-4000-8000-00000000000b"


async def handled(model, *texts):
    await eventually(lambda: model.done == list(texts))


async def waits(consumer, need, text):
    await eventually(lambda: text in (consumer.readiness.reason(need) or ""))


async def ready(consumer):
    await eventually(lambda: not any(map(consumer.readiness.reason, NEEDS)))


async def test_messages_are_handled_in_order_and_committed_afterwards(topic, model, consumer, running):
    """Batches follow each other, and the group's offset is behind the last message that was handled."""
    topic.send(*map(str, range(25)))
    one = consumer(batch=10)
    async with running(one):
        await handled(model, *map(str, range(25)))
        await ready(one)
        topic.send("next")
        await handled(model, *map(str, range(25)), "next")
    assert topic.commits == [10, 20, 25, 26]
    assert topic.members[0].closed


async def test_a_batch_that_is_redelivered_changes_nothing(topic, model, consumer):
    """A process that dies between the commit in Postgres and the one in Kafka costs nothing."""
    topic.send("1", "2")
    await consumer().run(asyncio.Event(), 2)
    topic.committed = None
    await consumer().run(asyncio.Event(), 2)
    assert model.done == ["1", "2"]


async def test_a_limit_ends_the_loop_after_exactly_that_many(topic, model, consumer):
    """Step mode handles and commits its limit and no more; the next step goes on there."""
    topic.send(*"01234")
    await consumer().run(asyncio.Event(), 2)
    assert (model.done, topic.committed) == (["0", "1"], 2)
    await consumer().run(asyncio.Event(), 3)
    assert (model.done, topic.committed) == ([*"01234"], 5)


async def test_messages_that_lead_to_nothing_do_not_count(topic, model, consumer):
    """A limit counts what is handled or parked, so that a step of the process managers is visible."""

    def skip_some(message):
        return () if message.offset % 2 else decode(message)

    topic.send(*"01234")
    await consumer(decode=skip_some).run(asyncio.Event(), 2)
    assert model.done == ["0", "2"]


async def test_poison_is_parked_with_what_follows_it_in_its_key(topic, model, consumer, running):
    """Other keys keep flowing, and the offsets are committed."""
    topic.send("1", "broken", "2")
    topic.send("3", key=B)
    async with running(consumer()):
        await handled(model, "1", "3")
        await eventually(lambda: topic.committed == 4)
    assert model.reasons() == [(1, MALFORMED), (2, BEHIND)]


async def test_an_unavailable_write_model_is_waited_for(topic, model, consumer, running):
    """The same batch is handled again until it succeeds; nothing is committed or parked before."""
    model.available, one = False, consumer()
    topic.send("1", "2")
    async with running(one):
        await waits(one, MESSAGES, "Postgres: unavailable")
        assert (model.done, topic.committed) == ([], None)
        model.available = True
        await handled(model, "1", "2")
        await ready(one)
    assert model.parked == []


async def test_a_stop_ends_the_wait_for_an_unavailable_write_model(topic, model, consumer):
    """The batch is not committed, and the next process handles it."""
    model.available, stop, one = False, asyncio.Event(), consumer()
    topic.send("1")
    running = asyncio.create_task(one.run(stop))
    await waits(one, MESSAGES, "unavailable")
    stop.set()
    assert await running
    assert (topic.committed, topic.members[0].closed) == (None, True)


async def test_topics_are_created_while_a_batch_waits(topic, model, consumer, running):
    """A topic that a batch is sent to may have been lost with a wiped Kafka, and no other process may be there."""
    one = consumer()
    async with running(one):
        await ready(one)
        topic.send("1")
        model.available = False
        await waits(one, MESSAGES, "unavailable")
        topic.wipe()
        await eventually(lambda: topic.topic_id() == "topic-2")
        model.available = True
        await handled(model, "1")


async def test_an_unavailable_broker_is_waited_for(topic, model, consumer, running):
    """Readiness exposes it without a host, and a new member goes on at the committed offset."""
    one = consumer()
    async with running(one):
        topic.send("1")
        await handled(model, "1")
        topic.available = False
        await waits(one, KAFKA, "Broker transport failure")
        topic.available = True
        topic.send("2")
        await handled(model, "1", "2")
        await ready(one)
    assert [member.closed for member in topic.members] == [True] * len(topic.members)


async def test_a_new_member_joins_once_a_broker_is_there_again(topic, model, consumer, running):
    """The old one may read nothing more. It leaves once the broker responds, so that no member waits for it."""
    async with running(consumer()):
        topic.send("1")
        await handled(model, "1")
        topic.members[0].was_disconnected = True
        await eventually(lambda: len(topic.members) == 2)
        topic.send("2")
        await handled(model, "1", "2")
    assert topic.members[0].closed


async def test_a_refused_commit_begins_with_a_new_member(topic, model, consumer, running):
    """The group's next member handles the batch again, which changes nothing."""
    async with running(consumer()):
        topic.send("1")
        await handled(model, "1")
        topic.committed = None
        topic.members[0].error = KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)
        topic.send("2")
        await handled(model, "1", "2")
    assert len(topic.members) == 2


async def test_a_replaced_topic_is_read_from_its_beginning(topic, model, consumer, running):
    """A wiped Kafka loses what was not handled, and nothing that is sent afterwards."""
    with capture_logs() as lines:
        async with running(consumer()):
            topic.send("1")
            await handled(model, "1")
            await eventually(lambda: topic.committed == 1)  # a later commit would belong to the new topic
            topic.wipe()
            await eventually(lambda: topic.topic_id() == "topic-2")
            topic.send("2")
            await handled(model, "1", "2")
    assert "topic replaced" in [line["event"] for line in lines]


async def test_a_topic_with_other_partitions_is_refused_until_it_is_right(topic, model, consumer, running):
    """A key's partition would change, so nothing is consumed."""
    topic.mismatch, one = True, consumer()
    topic.send("1")
    async with running(one):
        await waits(one, KAFKA, "3 partitions")
        assert model.done == []
        topic.mismatch = False
        await handled(model, "1")


async def test_too_much_poison_ends_the_loop_but_not_the_readiness(topic, model, consumer):
    """A bad deployment leaves the topic as it is, and readiness exposes the reason without the message."""
    topic.send("broken", "broken")
    one = consumer(most_in_a_row=2)
    with capture_logs() as lines:
        assert await one.run(asyncio.Event()) is False
    reason = "2 messages in a row cannot be handled, the last one: malformed"
    assert (one.readiness.reason(MESSAGES), model.parked, topic.committed) == (reason, [], None)
    assert [line["last_error"] for line in lines if line["event"].startswith("stopped")] != [None]


async def test_a_member_without_partitions_is_not_ready(topic, consumer, running):
    """Readiness waits for the group's first assignment."""
    one = consumer()
    assert one.readiness.reason(GROUP) == "starting"
    async with running(one):
        await eventually(lambda: topic.members)
        await ready(one)


async def test_a_consumer_with_checkpoints_reads_from_them(topic, model, consumer):
    """The group's offsets may have expired, or be newer than a database that was restored: the checkpoint decides."""
    topic.send(*"0123")
    await consumer(checkpoints=model).run(asyncio.Event(), 3)
    assert model.checkpoints[0].next_offset == 3
    topic.committed = None
    one = consumer(checkpoints=model, batch=1)
    await one.run(asyncio.Event(), 1)
    assert topic.commits[-1] == 4
    model.done, model._ids = [], set()
    model.checkpoints[0] = msgspec.structs.replace(model.checkpoints[0], next_offset=2)
    await consumer(checkpoints=model).run(asyncio.Event(), 2)
    assert model.done == ["2", "3"]


async def test_a_topic_that_was_created_again_without_a_consumer_is_read_from_its_beginning(topic, model, consumer):
    """Its offsets have nothing to do with those of the checkpoint, which belongs to another topic id."""
    topic.send("0", "1")
    await consumer(checkpoints=model).run(asyncio.Event(), 2)
    topic.wipe()
    topic.create_missing()
    topic.send("2")
    await consumer(checkpoints=model).run(asyncio.Event(), 1)
    assert model.done == ["0", "1", "2"]
    assert (model.checkpoints[0].topic_id, model.checkpoints[0].next_offset) == ("topic-2", 1)


@pytest.mark.parametrize("more", [1, 5])
async def test_a_log_that_was_restored_without_its_end_is_read_behind_the_copy(topic, model, consumer, more):
    """New commands have the offsets of those that were lost, whether they reach the checkpoint already or not. Broken
    by a start at the checkpoint.
    """
    topic.send("0", "1")
    await consumer(checkpoints=model).run(asyncio.Event(), 2)
    copy = list(topic.log), topic.committed
    topic.send("2", "3")
    await consumer(checkpoints=model).run(asyncio.Event(), 2)
    topic.log, topic.committed = copy
    new = [f"new {number}" for number in range(more)]
    topic.send(*new)
    await consumer(checkpoints=model).run(asyncio.Event(), more)
    assert model.done == [*"0123", *new]


async def test_unavailable_checkpoints_are_waited_for(topic, model, consumer, running):
    """The loop reads no message before it knows where to begin."""
    model.available, one = False, consumer(checkpoints=model)
    topic.send("1")
    async with running(one):
        await waits(one, MESSAGES, "Postgres: unavailable")
        assert model.checkpoints == {}
        model.available = True
        await handled(model, "1")
        await ready(one)


async def test_a_database_that_was_set_back_gets_what_it_lost_again(topic, model, consumer, running):
    """The consumer notices within seconds that the checkpoint is older than its own, and reads from there. Broken by a
    checkpoint that moves without regard to what was there.
    """
    async with running(consumer(checkpoints=model)):
        topic.send(*"0123")
        await handled(model, *"0123")
        model.done, model._ids = ["0", "1"], {model.id_of(topic, n) for n in (0, 1)}
        model.checkpoints[0] = msgspec.structs.replace(model.checkpoints[0], next_offset=2)
        topic.send("4")
        await eventually(lambda: set(model.done) == {*"01234"})
    assert model.checkpoints[0].next_offset == 5
