"""A PostgreSQL or a Kafka whose disk is really full: what needs room waits, nothing is lost or taken for poison."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from cheeper_contracts.kafka import topics
from cheeper_local.servers import Kafka, Postgres
from cheeper_local.testing import eventually
from cheeper_local.testing.faults.small_disk import SmallDisk, may_mount
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.bus import CommandBus
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import new_id
from write_api.consumer import loop as consumer_loop
from write_api.db.engine import create_engine
from write_api.db.schema.check import check_of_database
from write_api.db.schema.migrate import migrate
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import HANDLERS
from write_api.kafka.producer import BrokerUnavailableError, CommandProducer
from write_api.kafka.topics import admin_client, ensure_topics
from write_api.ops.recent_failure import RecentFailure
from write_api.relay import loop as relay

sys.path.insert(0, str(Path(__file__).parent))  # `write_api_…` are shared by these tests alone

from write_api_consumers import Consumers

MEGABYTES = 120
MOST = 3_000
"""Commands that the room in pages that there are already must not suffice for."""

pytestmark = [
    pytest.mark.extended,
    pytest.mark.proves(guarantee="transient-faults"),
    pytest.mark.skipif(not may_mount(), reason="only who may mount has a disk that is small enough to fill"),
]


@pytest.fixture(scope="module")
def disk_and_url(tmp_path_factory):
    """A small disk, and a PostgreSQL with its data on it."""
    disk = SmallDisk(MEGABYTES)
    server = Postgres(disk.folder, log=tmp_path_factory.mktemp("postgres") / "log", fast=True)
    server.start()
    yield disk, server.url
    server.wipe()
    disk.remove()


@pytest.fixture
async def on_disk(disk_and_url):
    """A pool on the disk's database, with the schema."""
    engine = create_engine(disk_and_url[1], application_name="test")
    await migrate(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
async def consumers(on_disk, kafka_bootstrap, topic_prefix):
    consumers = Consumers(on_disk, kafka_bootstrap, topic_prefix)
    await consumers.prepare()
    yield consumers
    await consumers.producer.close()


@pytest.fixture
def full(disk_and_url, on_disk):
    """Fills the disk while a block lasts, but for a whole segment of the write-ahead log: a server that needs one, and
    has no room for it, does not refuse but dies.
    """

    @asynccontextmanager
    async def filled():
        async with on_disk.begin() as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = on"))  # the segment is there afterwards
            await connection.execute(text("SELECT pg_switch_wal(), pg_logical_emit_message(true, '', '')"))
        with disk_and_url[0].full():
            yield

    return filled


async def test_a_worker_on_a_full_disk_waits_and_readiness_says_why(consumers, full, running):
    """Events that come meanwhile lead to their commands once each, and to no letter, as soon as there is room.

    Fails where the states of class 53 are no faults that pass.
    """
    worker = consumers.worker()
    async with running(worker, consumers.process_manager()):
        await eventually(lambda: worker.readiness.reason(consumer_loop.GROUP) is None)
        async with full():
            await consumers.send(consumers.messages_of(*(consumers.followed(n % 2, 2, n) for n in range(MOST))))
            await eventually(lambda: "DiskFull" in (worker.readiness.reason(consumer_loop.MESSAGES) or ""))
        assert len(await consumers.wait_for_notifications(MOST)) == MOST
        await eventually(lambda: worker.readiness.reason(consumer_loop.MESSAGES) is None)
    (left,) = await consumers.rows("SELECT count(*) FROM outbox WHERE type = 'cheeper.author-notified.v1'")
    assert left.count == MOST
    assert await consumers.letters() == []


async def test_a_command_on_a_full_disk_is_unavailable(on_disk, consumers, full):
    """A command that got its response is kept, another one is done by its repeat, and readiness reports the fault.

    It fails if readiness only asks the server, which responds all the while.
    """
    transactions = PostgresTransactions(on_disk)
    bus = CommandBus(transactions.begin, lambda: None, HANDLERS, source="/test", accepted=False)
    check = check_of_database(on_disk, transactions.failure)
    assert await check() is None
    commands = [consumers.sign_up_of(f"u{n}") for n in range(MOST)]
    async with full():
        done = [command async for command in _until_refused(bus, commands)]
        assert len(done) < MOST
        assert "DiskFull" in await check()
    refused = commands[len(done)]
    await eventually(lambda: _is_done(bus, refused))
    assert await check() is None
    (found,) = await consumers.rows("SELECT count(*) FROM authors WHERE username ~ '^u[0-9]{1,4}$'")
    assert found.count == len(done) + 1


async def _until_refused(bus, commands):
    for command in commands:
        if not await _is_done(bus, command):
            return
        yield command


async def _is_done(bus, command):
    try:
        await bus.handle([command])
    except UnavailableError:
        return False
    return True


@pytest.fixture
def kafka_on_disk(tmp_path):
    """A small disk, and a Kafka with its data on it."""
    disk = SmallDisk(60)
    server = Kafka(disk.folder, log=tmp_path / "log", fast=True)
    server.start()
    yield disk, server
    server.wipe()
    disk.remove()


@pytest.mark.skipif(os.environ.get("BROKER") == "tansu", reason="how Kafka ends on a full disk")
async def test_a_kafka_that_a_full_disk_has_ended(kafka_on_disk, scene_on, running, read_topic):
    """The relay and the sender of commands report that it is unavailable, and go on once it has room and is restarted:
    no sequence is missing or given to two messages, and every acknowledged command is there.
    """
    disk, server = kafka_on_disk
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(server.url)), "")
    outbox_scene, failure, authors, confirmed = scene_on(server), RecentFailure(), [new_id() for _ in range(20)], set()
    producer = CommandProducer(KafkaConnection(server.url), delivery_seconds=2, recent_failure=failure)
    one = outbox_scene.relay()
    producer.start()

    async def is_sent(one):
        try:
            await producer.send(one.command, one.envelope)
        except BrokerUnavailableError:
            return False
        confirmed.add(one.envelope.message_id)
        return True

    first, second = (Consumers.sign_up_of(f"u{n}") for n in range(2))
    async with running(one):
        await outbox_scene.write(*authors)
        await read_topic(outbox_scene.topic, 20, server.url)
        await eventually(lambda: is_sent(first))
        with disk.full():
            await outbox_scene.write(*authors)
            await eventually(lambda: one.readiness.reason(relay.KAFKA))
            assert not await is_sent(second)
            await eventually(failure.reason)
            await eventually(lambda: not server.running)
        await asyncio.to_thread(server.start)
        await outbox_scene.write(*authors)
        found = await read_topic(outbox_scene.topic, 60, server.url)
        await eventually(lambda: not any(map(one.readiness.reason, relay.NEEDS)))
        await eventually(lambda: is_sent(second))
    await producer.close()
    assert failure.reason() is None
    assert sum(len(each) for each in outbox_scene.by_sequence(found).values()) == 60
    commands = await read_topic(topics.COMMANDS.name, 2, server.url)
    assert {envelope.message_id for _, _, envelope, _, _ in commands} == confirmed
