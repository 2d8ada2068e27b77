"""A PostgreSQL or a Kafka that is slow, or silent for a while, behind a proxy: late but right, and nothing twice."""

import asyncio

import pytest
from confluent_kafka import Producer
from write_api_consumers import consumer_of
from write_api_proxies import WayToKafka

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_local.testing import eventually
from cheeper_runtime.readiness.checks import CHECK_SECONDS, in_time
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.bus import CommandBus
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import loop as consumer_loop
from write_api.consumer.worker import SUBSCRIPTION, decode
from write_api.db.engine import create_engine
from write_api.db.schema.check import check_of_database
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import HANDLERS
from write_api.kafka.topics import admin_client, ensure_topics
from write_api.relay import loop as relay

pytestmark = [pytest.mark.proves(guarantee="transient-faults"), pytest.mark.extended]

CHEEPS = 30
LATE, VERY_LATE = 0.05, 4.0
SLOW = {"late both ways": {"delay": 0.05}, "throttled": {"rate": 100_000}}
UNAVAILABLE = {"stalled": {"stalled": True}, "responds too late": {"delay_back": 6.0}}


def incoming(command):
    message_id = new_id()
    envelope = Envelope(
        message_id=message_id, type=command.TYPE, source="/test", time=1, key=command.key, correlation_id=message_id
    )
    return ReceivedCommand(command=command, envelope=envelope)


def post(servers, prefix, author):
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True})
    for n in range(CHEEPS):
        one = incoming(PostCheep(cheep_id=new_id(), author_id=author, message=str(n)))
        producer.produce(
            topics.COMMANDS.named(prefix),
            value=codec.encode(one.command),
            key=author,
            partition=topics.partition_of(author),
            headers=[*to_headers(one.envelope)],
        )
    assert producer.flush(60) == 0


@pytest.fixture
async def behind(engine, postgres_url, proxy_to):  # noqa: ARG001 - the schema
    """The proxy, and the URL and a pool through it. The schema is there."""
    proxy, url = proxy_to(postgres_url)
    through = create_engine(url, application_name="test")
    yield proxy, url, through
    await through.dispose()


@pytest.fixture
async def worker(behind, engine, kafka_bootstrap, topic_prefix):
    """A worker through the proxy, and the author in whose name cheeps are posted."""
    _, _, through = behind
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    author_id = new_id()
    author = SignUp(author_id=author_id, username=f"u{author_id[-12:]}", email=f"{author_id}@example.com")
    direct = CommandBus(PostgresTransactions(engine).begin, lambda: None, HANDLERS, source="/test", accepted=True)
    await direct.handle([incoming(author)])
    return worker_on(through, kafka_bootstrap, topic_prefix), author_id


def worker_on(pool, servers, prefix):
    bus = CommandBus(PostgresTransactions(pool).begin, lambda: None, HANDLERS, source="/test", accepted=True)
    return consumer_of(pool, servers, prefix, SUBSCRIPTION, decode, bus.handle)


@pytest.fixture
async def late_kafka(kafka_bootstrap):
    """The way to the broker."""
    async with WayToKafka(kafka_bootstrap).open() as way:
        yield way


async def handled_once(outbox_scene, author):
    """Each command has its row, its one outcome, and nothing was parked."""

    async def count(statement):
        return (await outbox_scene.execute(statement, author=author)).scalar()

    cheeps = "SELECT count(*) FROM cheeps WHERE author_id = :author"
    await eventually(lambda: _equals(count(cheeps), CHEEPS))
    assert await count("SELECT count(*) FROM outbox WHERE key = :author AND type = 'cheeper.cheep-posted.v1'") == CHEEPS
    assert await count("SELECT count(*) FROM dead_letters WHERE key = :author") == 0


async def _equals(found, wanted):
    return await found == wanted


@pytest.mark.parametrize("how", SLOW)
async def test_a_worker_on_a_slow_database_is_late_but_right(
    behind, worker, outbox_scene, kafka_bootstrap, topic_prefix, running, how
):
    """A slow statement is waited for, and does not make the database unavailable."""
    proxy, _, through = behind
    one, author = worker
    async with running(one):
        await eventually(lambda: one.readiness.reason(consumer_loop.GROUP) is None)
        with proxy.slow(**SLOW[how]):
            await asyncio.to_thread(post, kafka_bootstrap, topic_prefix, author)
            await handled_once(outbox_scene, author)
            assert one.readiness.reason(consumer_loop.MESSAGES) is None
            assert await in_time(check_of_database(through)(), CHECK_SECONDS) is None


@pytest.mark.parametrize("how", UNAVAILABLE)
async def test_a_worker_whose_database_does_not_respond_waits(
    behind, worker, outbox_scene, kafka_bootstrap, topic_prefix, running, how
):
    """The health page says in its time that the database does not respond, and later every command is done once."""
    proxy, _, through = behind
    one, author = worker
    async with running(one):
        await eventually(lambda: one.readiness.reason(consumer_loop.GROUP) is None)
        with proxy.slow(**UNAVAILABLE[how]):
            await asyncio.to_thread(post, kafka_bootstrap, topic_prefix, author)
            with pytest.raises(TimeoutError):  # which the health page tells as no answer in time
                await in_time(check_of_database(through)(), CHECK_SECONDS)
        await handled_once(outbox_scene, author)
        await eventually(lambda: _equals(check_of_database(through)(), None))


@pytest.mark.parametrize("how", [*SLOW, *UNAVAILABLE])
async def test_a_relay_on_a_slow_database(behind, outbox_scene, scene_on_database, running, read_topic, how):
    """It reports a database that does not respond, and sends everything in order and with the same sequences."""
    proxy, url, through = behind
    one = scene_on_database(through, url).relay()
    authors = [new_id() for _ in range(20)]
    async with running(one):
        await eventually(lambda: all(one.readiness.reason(need) is None for need in relay.NEEDS))
        await outbox_scene.write(*authors)
        with proxy.slow(**{**SLOW, **UNAVAILABLE}[how]):
            await outbox_scene.write(*authors)
            if how in UNAVAILABLE:
                await eventually(lambda: one.readiness.reason(relay.POSTGRES))
            else:
                await read_topic(outbox_scene.topic, 40, outbox_scene.bootstrap)
                assert one.readiness.reason(relay.POSTGRES) is None
        await outbox_scene.write(*authors)
        found = await read_topic(outbox_scene.topic, 60, outbox_scene.bootstrap)
        await eventually(lambda: one.readiness.reason(relay.POSTGRES) is None)
    assert sum(len(each) for each in outbox_scene.by_sequence(found).values()) == 60


async def test_a_worker_on_a_late_kafka(
    late_kafka, worker, engine, outbox_scene, kafka_bootstrap, topic_prefix, running
):
    """Every response of the broker comes late, those of the group too, and every command is done once."""
    _, author = worker
    late_kafka.late = LATE
    one = worker_on(engine, late_kafka.bootstrap, topic_prefix)
    async with running(one):
        await eventually(lambda: one.readiness.reason(consumer_loop.GROUP) is None)
        await asyncio.to_thread(post, kafka_bootstrap, topic_prefix, author)
        await handled_once(outbox_scene, author)
        assert one.readiness.reason(consumer_loop.MESSAGES) is None


async def test_a_relay_on_a_late_kafka(late_kafka, outbox_scene, running, read_topic):
    """A late acknowledgement is waited for, reported if it takes long, and its message is sent once. It fails if
    `_STALLED_SECONDS` is less than the broker takes.
    """
    one = outbox_scene.relay(late_kafka.bootstrap)
    authors = [new_id() for _ in range(20)]
    async with running(one):
        await eventually(lambda: all(one.readiness.reason(need) is None for need in relay.NEEDS))
        late_kafka.late = LATE
        await outbox_scene.write(*authors)
        await read_topic(outbox_scene.topic, 20, outbox_scene.bootstrap)
        assert one.readiness.reason(relay.KAFKA) is None
        late_kafka.late_confirmations = VERY_LATE
        await outbox_scene.write(authors[0])
        await eventually(lambda: one.readiness.reason(relay.KAFKA))
        late_kafka.late_confirmations = 0
        await outbox_scene.write(*authors)
        found = await read_topic(outbox_scene.topic, 41, outbox_scene.bootstrap)
        await eventually(lambda: one.readiness.reason(relay.KAFKA) is None)
    assert sum(len(each) for each in outbox_scene.by_sequence(found).values()) == len(found) == 41
