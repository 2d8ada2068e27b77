"""The worker on a real Postgres and a real broker: each command once, in its key's order, and poison parked."""

import asyncio

import pytest
from confluent_kafka import Producer
from sqlalchemy import text
from write_api_consumers import consumer_of, envelope_of

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import to_headers
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.bus import CommandBus
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import loop as consumer_loop
from write_api.consumer.worker import SUBSCRIPTION, decode
from write_api.db.engine import create_engine
from write_api.db.schema.migrate import migrate
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import HANDLERS
from write_api.kafka.topics import admin_client, ensure_topics

pytestmark = pytest.mark.proves(guarantee="poison")


class WorkerScene:
    """A topic of commands, a write model, and workers between them."""

    def __init__(self, engine, bootstrap, prefix):
        self.engine, self.bootstrap, self.prefix = engine, bootstrap, prefix
        self.topic = topics.COMMANDS.named(prefix)
        self.bus = CommandBus(PostgresTransactions(engine).begin, lambda: None, HANDLERS, source="/test", accepted=True)
        self.authors = []

    def worker(self, most_in_a_row=20):
        return consumer_of(self.engine, self.bootstrap, self.prefix, SUBSCRIPTION, decode, self.handle, most_in_a_row)

    async def handle(self, batch, checkpoints=()):
        """Handle commands as a bus with a defect for certain cheeps."""
        if any(incoming.command.message == "crash" for incoming in batch):
            raise RuntimeError("a defect")
        return await self.bus.handle(batch, checkpoints)

    async def sign_up(self):
        author_id = new_id()
        command = SignUp(author_id=author_id, username=f"u{author_id[-12:]}", email=f"{author_id}@example.com")
        await self.bus.handle([ReceivedCommand(command=command, envelope=envelope_of(command))])
        self.authors.append(author_id)

    async def send(self, *posts):
        """Send cheeps, each (author's number, text), in this order. The text "broken" makes a value that is no JSON."""
        await asyncio.to_thread(self._send, posts)

    def _send(self, posts):
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "enable.idempotence": True, "allow.auto.create.topics": False}
        )
        for author, message in posts:
            post = PostCheep(cheep_id=new_id(), author_id=self.authors[author], message=message)
            producer.produce(
                self.topic,
                value=b"{" if message == "broken" else codec.encode(post),
                key=post.key,
                partition=topics.partition_of(post.key),
                headers=[*to_headers(envelope_of(post))],
            )
        assert producer.flush(60) == 0

    async def cheeps(self):
        """Return the cheeps of each author in the order of their dates."""
        rows = await self.rows("SELECT author_id::text AS author, message FROM cheeps ORDER BY cheep_date")
        return [[row.message for row in rows if row.author == author] for author in self.authors]

    async def posted(self, count):
        async def all_there():
            found = await self.cheeps()
            return found if sum(map(len, found)) >= count else None

        return await eventually(all_there)

    async def letters(self):
        rows = await self.rows("SELECT reason, key FROM dead_letters ORDER BY id")
        return [(self.authors.index(row.key), row.reason) for row in rows]

    async def rows(self, statement):
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement))).all()


@pytest.fixture
async def scene(engine, kafka_bootstrap, topic_prefix):
    scene = WorkerScene(engine, kafka_bootstrap, topic_prefix)
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    for _ in range(3):
        await scene.sign_up()
    return scene


async def test_commands_run_in_the_order_of_their_key_and_leave_one_message_each(scene):
    """An author's cheeps are posted in order over several batches, and each command has a message in the outbox."""
    posts = [(n % 3, str(n)) for n in range(150)]
    await scene.send(*posts)
    await scene.worker().run(asyncio.Event(), 150)
    assert await scene.cheeps() == [[text for author, text in posts if author == one] for one in range(3)]
    (left,) = await scene.rows("SELECT count(*), count(DISTINCT reply_to) AS settled FROM outbox")
    assert tuple(left) == (153, 153)


async def test_poison_is_parked_with_what_follows_it_in_its_key_and_copied(scene, running, read_topic):
    """An unreadable command and one that its handler crashes on do not hold up other keys, and stay in order."""
    await scene.send((0, "1"), (0, "broken"), (1, "2"), (2, "3"), (2, "crash"), (0, "4"), (2, "5"), (1, "6"))
    async with running(scene.worker()):
        assert await scene.posted(4) == [["1"], ["2", "6"], ["3"]]
        letters = await eventually(lambda: at_least(scene.letters, 4))
        copies = await read_topic(topics.DEAD_LETTERS.named(scene.prefix), 4)
    assert [reason for author, reason in letters if author == 0] == ["malformed", "behind"]
    assert [reason for author, reason in letters if author == 2] == ["crashed", "behind"]
    assert {headers["dead_letter_reason"] for *_, headers in copies} == {b"malformed", b"crashed", b"behind"}


async def at_least(read, count):
    found = await read()
    return found if len(found) >= count else None


async def test_a_dead_letter_keeps_the_whole_message(scene):
    """A parked message can be sent again as it was: key, headers, value, topic, partition and offset are kept."""
    await scene.send((0, "broken"))
    await scene.worker().run(asyncio.Event(), 1)
    (row,) = await scene.rows("SELECT * FROM dead_letters")
    assert (row.source_topic, row.partition, row.offset) == (scene.topic, topics.partition_of(scene.authors[0]), 0)
    assert (row.key, row.value) == (scene.authors[0], b"{")
    assert "ce_id" in dict(row.headers)
    assert row.error


@pytest.mark.extended
async def test_commands_that_come_after_kafka_was_wiped_are_handled(engine, own_kafka, running):
    """A wiped Kafka loses only commands that were not handled yet: the worker creates the topics and reads them from
    their start, whatever offset it had reached.
    """
    scene = WorkerScene(engine, own_kafka.url, "")
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(own_kafka.url)), "")
    await scene.sign_up()
    worker = scene.worker()
    async with running(worker):
        await scene.send(*[(0, str(n)) for n in range(10)])
        await scene.posted(10)
        await asyncio.to_thread(own_kafka.wipe)
        await eventually(lambda: worker.readiness.reason(consumer_loop.KAFKA))
        await asyncio.to_thread(own_kafka.start)
        await eventually(lambda: worker.readiness.reason(consumer_loop.KAFKA) is None)
        await scene.send((0, "after"))
        assert await scene.posted(11) == [[*map(str, range(10)), "after"]]


async def test_a_worker_is_ready_once_its_group_has_given_it_partitions(engine, own_tansu, running):
    """The broker and its topics are not enough: Tansu responds to a first join after three seconds."""
    worker = WorkerScene(engine, own_tansu.url, "").worker()
    async with running(worker):
        await eventually(lambda: worker.readiness.reason(consumer_loop.KAFKA) is None)
        assert worker.readiness.reason(consumer_loop.GROUP) == "has no partitions yet"
        await eventually(lambda: worker.readiness.reason(consumer_loop.GROUP) is None)


async def test_an_outage_of_postgres_is_waited_for_and_loses_nothing(
    own_postgres, kafka_bootstrap, topic_prefix, running
):
    """The worker is not ready during the outage, and afterwards goes on by itself where it was."""
    engine = create_engine(own_postgres.url, application_name="test")
    await migrate(engine)
    scene = WorkerScene(engine, kafka_bootstrap, topic_prefix)
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    await scene.sign_up()
    worker = scene.worker()
    async with running(worker):
        await scene.send((0, "before"))
        await scene.posted(1)
        await asyncio.to_thread(own_postgres.stop)
        await scene.send((0, "meanwhile"))
        await eventually(lambda: "Postgres" in (worker.readiness.reason(consumer_loop.MESSAGES) or ""))
        await asyncio.to_thread(own_postgres.start)
        await eventually(lambda: worker.readiness.reason(consumer_loop.MESSAGES) is None)
        assert await scene.posted(2) == [["before", "meanwhile"]]
        assert await scene.letters() == []
    await engine.dispose()
