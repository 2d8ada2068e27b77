"""A worker whose checkpoint is in the database: it outlives Kafka's consumer group, and shows another topic."""

import asyncio
from itertools import count

import pytest
from write_api_consumers import Consumers

from cheeper_contracts.kafka.topics import COMMANDS, partition_of
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.ids import new_id
from write_api.consumer.worker import SUBSCRIPTION
from write_api.db.consumer_checkpoints import PostgresCheckpoints
from write_api.kafka.producer import BrokerUnavailableError
from write_api.kafka.topics import admin_client, ensure_topics

pytestmark = pytest.mark.proves(guarantee="idempotent-commands")


async def send(consumers, *usernames):
    for username in usernames:
        sent = consumers.sign_up_of(username)
        await consumers.producer.send(sent.command, sent.envelope)


async def signed_up(consumers):
    rows = await consumers.rows("SELECT username FROM authors")
    return {row.username for row in rows}


async def positions(consumers):
    rows = await consumers.rows("SELECT sum(next_offset) AS n FROM consumer_checkpoints")
    return rows[0].n


async def test_a_worker_continues_at_its_checkpoint_when_the_group_s_offsets_have_expired(consumers):
    """They expire while no worker consumes. Broken by a start at the group's offsets: all commands are read again."""
    await send(consumers, *(f"first{n}" for n in range(5)))
    await consumers.worker().run(asyncio.Event(), 5)
    assert await positions(consumers) == 5
    group = consumers.prefix + SUBSCRIPTION.group
    admin = admin_client(KafkaConnection(consumers.bootstrap))

    async def deleted():  # as soon as the group knows that its member has left
        done = admin.delete_consumer_groups([group])[group]
        return await asyncio.to_thread(lambda: done.exception(10)) is None

    await eventually(deleted)
    await send(consumers, "second")
    worker = consumers.worker()
    assert await worker.run(asyncio.Event(), 1)  # with one of the first, the second would not be reached
    assert "second" in await signed_up(consumers)
    assert await positions(consumers) == 6


async def test_a_topic_that_was_created_again_while_the_worker_was_stopped_is_read_and_reported(consumers):
    """The loss of what it held is reported; a repeat of a lost command, with its id, is handled."""
    await send(consumers, *(f"first{n}" for n in range(3)))
    await consumers.worker().run(asyncio.Event(), 3)
    lost = consumers.sign_up_of(f"lost{new_id()[-8:]}")
    await consumers.producer.send(lost.command, lost.envelope)
    await consumers.delete(COMMANDS)
    checkpoints = PostgresCheckpoints(consumers.engine, consumers.commands)
    assert (await checkpoints.backlog(60)).replaced_at is None
    worker, stop = consumers.worker(), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await eventually(lambda: replaced(checkpoints))
    await eventually(lambda: sent(consumers, lost))
    await eventually(lambda: is_signed_up(consumers, lost.command.username))
    stop.set()
    await running


@pytest.mark.extended
async def test_a_kafka_that_was_restored_from_an_older_copy_skips_no_new_command(engine, own_kafka):
    """The topic has its id and lacks its end, so a new command has an offset before the checkpoint. It is handled, and
    the loss is reported. Broken by a start at the checkpoint.
    """
    consumers = Consumers(engine, own_kafka.url, "")
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(own_kafka.url)), "")
    checkpoints, everyone = PostgresCheckpoints(engine, consumers.commands), in_one_partition()

    async def take(number):
        """Send so many, and let a worker of their time handle them."""
        some, stop = [next(everyone) for _ in range(number)], asyncio.Event()
        for one in some:
            await eventually(lambda one=one: sent(consumers, one))
        working = asyncio.create_task(consumers.worker().run(stop))
        await eventually(lambda: is_signed_up(consumers, some[-1].command.username))
        stop.set()
        await working

    async def while_stopped(change):
        for step in (own_kafka.stop, change, own_kafka.start):
            await asyncio.to_thread(step)

    await take(2)
    await while_stopped(own_kafka.save)
    await take(5)
    await while_stopped(own_kafka.restore)
    assert (await checkpoints.backlog(60)).replaced_at is None
    await take(1)
    assert (await checkpoints.backlog(60)).replaced_at is not None
    await consumers.producer.close()


def in_one_partition():
    """Yield sign-ups without end whose messages are in one partition."""
    for number in count():
        author_id = new_id()
        if partition_of(author_id) == 0:
            yield Consumers.sign_up_of(f"one{number}", author_id)


async def replaced(checkpoints):
    return (await checkpoints.backlog(60)).replaced_at


async def sent(consumers, lost):
    try:
        await consumers.producer.send(lost.command, lost.envelope)
    except BrokerUnavailableError:  # the producer learns of the new topic soon
        return False
    return True


async def is_signed_up(consumers, username):
    return username in await signed_up(consumers)
