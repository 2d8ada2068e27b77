"""Faults of PostgreSQL that pass, reported by the server itself: HTTP has 503, the worker and the relay wait, and
nothing is lost or taken for poison.
"""

import asyncio
from contextlib import asynccontextmanager

import pytest
from confluent_kafka import Producer
from sqlalchemy import text
from write_api_consumers import consumer_of

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_local.testing import eventually
from cheeper_local.testing.faults.postgres import PostgresFaults
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.bus import CommandBus
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import loop as consumer_loop
from write_api.consumer.worker import SUBSCRIPTION, decode
from write_api.db.engine import create_engine
from write_api.db.schema.check import check_of_database
from write_api.db.schema.migrate import migrate
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import HANDLERS
from write_api.kafka.topics import admin_client, ensure_topics
from write_api.relay import loop as relay

pytestmark = [pytest.mark.proves(guarantee="transient-faults"), pytest.mark.variants]

REFUSING = ["no login", "another password", "too many connections"]
CONTENTION = ["40001", "40P01", "55P03"]
NAMES = [*PostgresFaults.states, *REFUSING, "read-only", "no privilege"]


@pytest.fixture(scope="module")
def faulty(servers):
    """A PostgreSQL with the schema, of these tests alone."""
    server = servers.own("postgres")
    asyncio.run(with_schema(server.url))
    faults = PostgresFaults(server)
    yield faults
    faults.close()
    server.wipe()


async def with_schema(url):
    engine = create_engine(url, application_name="test")
    await migrate(engine)
    await engine.dispose()


@asynccontextmanager
async def pool(faulty):
    engine = create_engine(faulty.url, application_name="test")
    yield engine
    await engine.dispose()


def incoming(command):
    message_id = new_id()
    envelope = Envelope(
        message_id=message_id, type=command.TYPE, source="/test", time=1, key=command.key, correlation_id=message_id
    )
    return ReceivedCommand(command=command, envelope=envelope)


def sign_up():
    author_id = new_id()
    return SignUp(author_id=author_id, username=f"u{author_id[-12:]}", email=f"{author_id}@example.com")


def tells_no_host(why):
    return why and "127.0.0.1" not in why and "app" not in why


@pytest.mark.parametrize("name", NAMES)
async def test_a_command_is_unavailable_and_readiness_says_why(faulty, name):
    """A transient refusal of the server is neither a refusal of the domain nor a defect, and readiness reports it,
    unless the transaction only lost against others.
    """
    async with pool(faulty) as engine:
        transactions = PostgresTransactions(engine)
        bus = CommandBus(transactions.begin, lambda: None, HANDLERS, source="/test", accepted=False)
        check = check_of_database(engine, transactions.failure)
        assert await check() is None
        command = incoming(sign_up())
        with faulty.names[name]():
            with pytest.raises(UnavailableError):
                await bus.handle([command])
            reason = await check()
            assert reason is None if name in CONTENTION else tells_no_host(reason)
        (outcome,) = await eventually(lambda: handled(bus, command))
        assert outcome.code is None
        assert await check() is None


async def handled(bus, command):
    try:
        return await bus.handle([command])
    except UnavailableError:
        return None


@pytest.mark.parametrize("name", NAMES)
async def test_a_worker_waits_and_parks_nothing(faulty, kafka_bootstrap, topic_prefix, running, name):
    """Commands that come while the server refuses for now are handled afterwards, each once, none of them parked."""
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    async with pool(faulty) as engine:
        bus = CommandBus(PostgresTransactions(engine).begin, lambda: None, HANDLERS, source="/test", accepted=True)
        author = sign_up()
        await bus.handle([incoming(author)])
        worker = consumer_of(engine, kafka_bootstrap, topic_prefix, SUBSCRIPTION, decode, bus.handle)
        reason = worker.readiness.reason
        async with running(worker):
            await eventually(lambda: reason(consumer_loop.GROUP) is None)
            with faulty.names[name]():
                await asyncio.to_thread(post, kafka_bootstrap, topic_prefix, author.author_id, 30)
                await eventually(lambda: tells_no_host(reason(consumer_loop.MESSAGES)))
            await eventually(lambda: reason(consumer_loop.MESSAGES) is None)
            statement = "SELECT count(*) FROM cheeps WHERE author_id = :author"
            await eventually(lambda: counts(engine, statement, author.author_id, 30))
        assert await counts(engine, "SELECT count(*) FROM dead_letters WHERE key = :author", author.author_id, 0)


async def counts(engine, statement, author, number):
    async with engine.connect() as connection:
        return (await connection.execute(text(statement), {"author": author})).scalar() == number


def post(servers, prefix, author, number):
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True})
    for n in range(number):
        command = incoming(PostCheep(cheep_id=new_id(), author_id=author, message=str(n)))
        producer.produce(
            topics.COMMANDS.named(prefix),
            value=codec.encode(command.command),
            key=author,
            partition=topics.partition_of(author),
            headers=[*to_headers(command.envelope)],
        )
    assert producer.flush(60) == 0


@pytest.mark.parametrize("name", REFUSING)
async def test_a_relay_waits(faulty, scene_on_database, running, read_topic, name):
    """A relay that may not log in says so, and sends once it may, without a restart; what it sends again has the same
    sequences.
    """
    async with pool(faulty) as engine:
        outbox_scene = scene_on_database(engine, faulty.url)
        await fresh(faulty, outbox_scene)
        one = outbox_scene.relay()
        async with running(one):
            await eventually(lambda: all(one.readiness.reason(need) is None for need in relay.NEEDS))
            authors = [new_id() for _ in range(20)]
            await outbox_scene.write(*authors)
            with faulty.names[name]():
                await eventually(lambda: tells_no_host(one.readiness.reason(relay.POSTGRES)))
            await eventually(lambda: one.readiness.reason(relay.POSTGRES) is None)
            await engine.dispose()  # what it has was ended, and is too fresh to be asked
            await outbox_scene.write(*authors)
            await all_sent(outbox_scene, read_topic, 40)


async def test_what_a_relay_could_not_note_is_sent_again_the_same(faulty, scene_on_database, running, read_topic):
    """While the cursor cannot be moved a batch is sent again and again, and each time with the same sequences."""
    async with pool(faulty) as engine:
        outbox_scene = scene_on_database(engine, faulty.url)
        await fresh(faulty, outbox_scene)
        one = outbox_scene.relay()
        async with running(one):
            await eventually(lambda: all(one.readiness.reason(need) is None for need in relay.NEEDS))
            authors = [new_id() for _ in range(20)]
            with faulty.cannot_save_cursor():
                await outbox_scene.write(*authors)
                await read_topic(outbox_scene.topic, 60, outbox_scene.bootstrap)  # the twenty, three times
                await eventually(lambda: tells_no_host(one.readiness.reason(relay.POSTGRES)))
            await outbox_scene.write(*authors)
            await all_sent(outbox_scene, read_topic, 40)
            await eventually(lambda: one.readiness.reason(relay.POSTGRES) is None)


async def all_sent(outbox_scene, read_topic, count):
    """Return once so many messages are in the topic, however often each was sent."""
    found = []
    while sum(len(each) for each in outbox_scene.by_sequence(found).values()) < count:
        found = await read_topic(outbox_scene.topic, len(found) + 1, outbox_scene.bootstrap)
    assert sum(len(each) for each in outbox_scene.by_sequence(found).values()) == count


async def fresh(faulty, outbox_scene):
    """A relay has sent nothing of this database, and may do what an owner may: it makes partitions."""
    faulty.own_all()
    await outbox_scene.execute("DELETE FROM relay_cursor")
    await outbox_scene.execute("TRUNCATE outbox")
