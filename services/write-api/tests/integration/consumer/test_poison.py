"""Poison of the worker and of the process managers on real servers: each kind is parked with everything known about it,
and outlives a rebalance, a restart and a wiped Kafka.
"""

import asyncio

import msgspec
import pytest
from confluent_kafka import Producer
from sqlalchemy import text
from write_api_consumers import DAY, consumer_of, envelope_of

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.kafka import codec, dead_letters, topics
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bootstrap.dead_letters import replays
from write_api.bus.bus import CommandBus
from write_api.bus.ids import made_for, new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import loop as consumer_loop
from write_api.consumer import process_manager, worker
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import HANDLERS
from write_api.kafka.topics import admin_client, ensure_topics
from write_api.process_managers import PROCESS_MANAGERS
from write_api.relay.kafka.event_log import EventLog
from write_api.settings import from_env

pytestmark = [pytest.mark.proves(guarantee="poison"), pytest.mark.variants("role")]

SYNC = "NotifyAuthorAboutNewFollower=sync"
REFUSE = """
    CREATE TABLE refused (id uuid);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM refused WHERE id::text IN (SELECT value FROM jsonb_each_text(to_jsonb(NEW)))) THEN
            RAISE EXCEPTION 'this row is refused';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON cheeps FOR EACH ROW EXECUTE FUNCTION refuse();
    CREATE TRIGGER refuse BEFORE INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION refuse();
"""


class SentMessage(msgspec.Struct, frozen=True):
    """A message to send, the id of the row that it creates in the write model, and the id of its command."""

    envelope: Envelope
    value: bytes
    content_id: str
    made_id: str
    command_id: str


class ConsumerScene:
    """One role's topic, a write model with two authors, and consumers of that role that may have a defect."""

    def __init__(self, engine, database_url, bootstrap_servers, prefix):
        self.engine, self.bootstrap, self.prefix = engine, bootstrap_servers, prefix
        self.environ = {
            "DATABASE_URL": database_url,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "TOPIC_PREFIX": prefix,
            "COMMAND_TRANSPORTS": SYNC,
        }
        self.bus = CommandBus(PostgresTransactions(engine).begin, lambda: None, HANDLERS, source="/t", accepted=True)
        self.authors = [new_id(), new_id()]
        self.defects = set()
        self.topic = self.subscription.topic.named(prefix)

    async def prepare(self):
        await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(self.bootstrap)), self.prefix)
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(REFUSE)
        for author_id in self.authors:
            command = SignUp(author_id=author_id, username=f"u{author_id[-12:]}", email=f"{author_id}@example.com")
            await self.bus.handle([ReceivedCommand(command=command, envelope=envelope_of(command))])

    def consumer(self):
        return consumer_of(self.engine, self.bootstrap, self.prefix, self.subscription, self.decode, self.run)

    async def handle(self, batch):
        await self.bus.handle(batch)

    async def send(self, *messages):
        def send():
            producer = Producer({"bootstrap.servers": self.bootstrap, "enable.idempotence": True})
            for one in messages:
                producer.produce(
                    self.topic,
                    value=one.value,
                    key=one.envelope.key,
                    partition=topics.partition_of(one.envelope.key),
                    headers=[*to_headers(one.envelope)],
                )
            assert producer.flush(60) == 0

        await asyncio.to_thread(send)

    async def refuse(self, message):
        async with self.engine.begin() as connection:
            await connection.execute(text("INSERT INTO refused VALUES (CAST(:id AS uuid))"), {"id": message.made_id})

    async def done(self):
        """Return the commands that have been handled, in order, without the sign-ups."""
        rows = await self.rows("SELECT reply_to::text AS command_id FROM outbox ORDER BY id")
        return [row.command_id for row in rows][len(self.authors) :]

    async def parked(self, count):
        """Return the dead letters once there are `count`, and no more."""

        async def all_there():
            found = await self.rows("SELECT * FROM dead_letters ORDER BY id")
            assert len(found) <= count
            return found if len(found) == count else None

        return await eventually(all_there)

    async def handled(self, *messages):
        """Wait until these have been handled in this order, and assert that nothing else was."""
        wanted = [one.command_id for one in messages]

        async def all_there():
            return len(await self.done()) >= len(wanted)

        await eventually(all_there)
        assert sorted(await self.done()) == sorted(wanted)
        by_author = {
            author: [one.command_id for one in messages if one.envelope.key == author] for author in self.authors
        }
        found = await self.done()
        assert {author: [one for one in found if one in ids] for author, ids in by_author.items()} == by_author

    async def replay(self, author):
        async with replays(from_env(self.environ, "dead-letters")) as found:
            return [one.poison async for one in found[self.subscription.topic.name].of_key(self.authors[author])]

    async def rows(self, statement):
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement))).all()


class WorkerScene(ConsumerScene):
    """Commands, which the worker runs."""

    subscription = worker.SUBSCRIPTION
    decode = staticmethod(worker.decode)

    def make_message(self, author, value=None):
        command = PostCheep(cheep_id=new_id(), author_id=self.authors[author], message="hello")
        envelope = envelope_of(command)
        value = codec.encode(command) if value is None else value
        return SentMessage(envelope, value, command.cheep_id, command.cheep_id, envelope.message_id)

    async def run(self, batch, _checkpoints):
        if any(one.command.cheep_id in self.defects for one in batch):
            raise ZeroDivisionError("a defect")
        await self.handle(batch)


class ProcessManagerScene(ConsumerScene):
    """Events, from which process managers derive commands that run at once."""

    subscription = process_manager.SUBSCRIPTION
    sequence = 0

    def make_message(self, author, value=None):
        other = self.authors[1 - author]
        self.sequence += 1
        event = AuthorFollowed(
            follow_id=new_id(),
            from_author_id=other,
            to_author_id=self.authors[author],
            followed_at=2 * self.sequence * DAY,  # whoever follows again within a day is not notified of again
        )
        envelope = envelope_of(event, sequence=self.sequence)
        value = codec.encode(event) if value is None else value
        (manager,) = PROCESS_MANAGERS[AuthorFollowed]
        made = manager(event, envelope)
        command_id = made_for(envelope.message_id, made.TYPE)
        return SentMessage(envelope, value, event.follow_id, made.notification_id, command_id)

    def decode(self, message):
        def crash(event, envelope):
            if event.follow_id in self.defects:
                raise ZeroDivisionError("a defect")
            (manager,) = PROCESS_MANAGERS[AuthorFollowed]
            return manager(event, envelope)

        return process_manager.EventDecoder({AuthorFollowed: (crash,)}, "/pm").decode(message)

    async def run(self, batch, _checkpoints):
        await self.handle(batch)


ROLES = {"worker": WorkerScene, "process-manager": ProcessManagerScene}


@pytest.fixture(params=ROLES)
def role(request):
    return ROLES[request.param]


@pytest.fixture
async def scene(role, engine, postgres_url, kafka_bootstrap, topic_prefix):
    scene = role(engine, postgres_url, kafka_bootstrap, topic_prefix)
    await scene.prepare()
    return scene


KINDS = {
    "undecodable": ("malformed", "Input data was truncated"),
    "crash": ("crashed", "ZeroDivisionError: a defect"),
    "refused": ("crashed", "this row is refused"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_parked_with_all_that_is_known_of_it(scene, read_topic, kind):
    """Error, stack digest, source topic, partition and offset are in the table and on the copy; the next message of its
    key waits behind it, and another key flows.

    Broken by `unreadable` or `crashed` without the digest, or `_row` or `_headers_of` without one of the rest.
    """
    reason, error = KINDS[kind]
    bad = scene.make_message(1, b"{" if kind == "undecodable" else None)
    good, behind, other = scene.make_message(1), scene.make_message(1), scene.make_message(0)
    if kind == "crash":
        scene.defects.add(bad.content_id)
    if kind == "refused":
        await scene.refuse(bad)
    await scene.send(good, bad, behind, other)
    await scene.consumer().run(asyncio.Event(), 4)
    await scene.handled(good, other)
    poison, waits = await scene.parked(2)
    assert (poison.reason, waits.reason, waits.error, waits.stack_digest) == (reason, "behind", None, None)
    assert error in poison.error
    assert len(poison.stack_digest) == 16
    partition = topics.partition_of(scene.authors[1])
    assert [(one.source_topic, one.partition, one.offset, one.key) for one in (poison, waits)] == [
        (scene.topic, partition, offset, scene.authors[1]) for offset in (1, 2)
    ]
    assert (poison.value, waits.value) == (bad.value, behind.value)
    copies = await read_topic(topics.DEAD_LETTERS.named(scene.prefix), 2)
    expected = dead_letters.DeadLetter(
        store="postgres",
        reason=reason,
        error=poison.error,
        stack_digest=poison.stack_digest,
        topic=scene.topic,
        partition=partition,
        offset=1,
    )
    (copy,) = [headers for *_, headers in copies if headers["dead_letter_offset"] == b"1"]
    assert dict(dead_letters.to_headers(expected)).items() <= copy.items()


@pytest.mark.variants
async def test_parked_keys_outlive_a_rebalance_and_a_restart(scene, running):
    """A member that takes over, or a process that restarts, parks behind what another one has parked; other keys flow,
    and after a replay this one does.

    Broken by `parked_keys` that are remembered by the process instead of read from the table.
    """
    first, second, third = (scene.consumer() for _ in range(3))
    sent = [scene.make_message(1)]
    scene.defects.add(sent[0].content_id)
    others = [scene.make_message(0)]
    async with running(second):
        async with running(first):
            await scene.send(*sent, *others)
            await scene.parked(1)
            await scene.handled(*others)
            for consumer in (first, second):
                await eventually(lambda c=consumer: c.readiness.reason(consumer_loop.GROUP) is None)
        sent, others = [*sent, scene.make_message(1)], [*others, scene.make_message(0)]
        await scene.send(sent[-1], others[-1])
        await scene.handled(*others)
        await scene.parked(2)
    sent, others = [*sent, scene.make_message(1)], [*others, scene.make_message(0)]
    async with running(third):
        await scene.send(sent[-1], others[-1])
        await scene.handled(*others)
        letters = await scene.parked(3)
        assert [one.reason for one in letters] == ["crashed", "behind", "behind"]
        assert [bytes(one.value) for one in letters] == [one.value for one in sent]
        scene.defects.clear()
        assert await scene.replay(1) == [None] * 3
        sent.append(scene.make_message(1))
        await scene.send(sent[-1])
        await scene.handled(*others, *sent)
    assert await scene.rows("SELECT * FROM dead_letters") == []


@pytest.mark.parametrize("role", ["worker", "process-manager"], indirect=True)
@pytest.mark.extended
async def test_what_is_parked_outlives_a_wiped_kafka(role, engine, postgres_url, own_kafka, running, read_topic):
    """Dead letters stay, each once, and later messages of their key are parked behind them: commands after the wipe are
    others at the same offsets, and events are the same at other offsets, sent again by the relay.

    Fails for the worker where a letter is known by its offset alone, for the process managers where it is known by its
    offset and content.
    """
    scene = role(engine, postgres_url, own_kafka.url, "")
    await scene.prepare()
    consumer = scene.consumer()
    bad, good, behind, other, new, another = (scene.make_message(author) for author in (1, 1, 1, 0, 1, 0))
    scene.defects.add(bad.content_id)
    again = role is ProcessManagerScene
    before = [good] if again else []
    async with running(consumer):
        await scene.send(*before, *before, bad, behind, other)
        await scene.handled(*before, other)
        old = await scene.parked(2)
        await read_topic(topics.DEAD_LETTERS.name, 2, own_kafka.url)
        await asyncio.to_thread(own_kafka.wipe)
        await eventually(lambda: consumer.readiness.reason(consumer_loop.KAFKA))
        await asyncio.to_thread(own_kafka.start)
        if again:
            await asyncio.to_thread(EventLog(KafkaConnection(own_kafka.url), "").create_missing)  # as the relay does
        await eventually(lambda: consumer.readiness.reason(consumer_loop.KAFKA) is None)
        await scene.send(*((*before, bad, behind, other) if again else ()), new, another)
        await scene.handled(*before, other, another)
        letters = await scene.parked(3)
        assert letters[:2] == old
        assert (letters[2].reason, bytes(letters[2].value)) == ("behind", new.value)
        assert again or letters[2].offset == letters[0].offset
        assert await scene.replay(1) == [None] * 3
        last = scene.make_message(1)
        await scene.send(last)
        await scene.handled(*before, bad, behind, new, last, other, another)
    assert await scene.rows("SELECT * FROM dead_letters") == []
