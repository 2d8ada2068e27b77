"""Process managers and workers between real servers, as several files of tests have them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from confluent_kafka import KafkaException, Producer
from sqlalchemy import text

from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_local.testing import eventually
from cheeper_runtime.dead_letters.poison_limit import PoisonLimit
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.bus import CommandBus
from write_api.bus.dispatcher import Dispatcher, Transport
from write_api.bus.ids import new_id
from write_api.bus.limits import Limits
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import loop as consumer_loop
from write_api.consumer import process_manager, worker
from write_api.consumer.batch import BatchHandler
from write_api.consumer.dead_letters import PostgresDeadLetters
from write_api.consumer.group_consumer import GroupConsumer
from write_api.consumer.progress import Progress
from write_api.db.consumer_checkpoints import PostgresCheckpoints
from write_api.db.handled_commands import PostgresReservations
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import HANDLERS
from write_api.kafka.access import ACCESS
from write_api.kafka.producer import CommandProducer
from write_api.kafka.topics import TopicAdmin, admin_client, describe, ensure_topics
from write_api.process_managers import PROCESS_MANAGERS


def crashes_on_sorry(event, _envelope):
    """A process manager with a defect."""
    if event.message == "sorry":
        raise RuntimeError("a defect")


TABLE = {**PROCESS_MANAGERS, CheepPosted: (crashes_on_sorry,)}


def envelope_of(message, message_id=None, *, sequence=None):
    """Return the envelope of a message that nothing caused."""
    message_id = message_id or new_id()
    return Envelope(
        message_id=message_id,
        type=message.TYPE,
        source="/test",
        time=1,
        key=message.key,
        correlation_id=message_id,
        sequence=sequence,
    )


def consumer_of(engine, servers, prefix, subscription, decode, run, most_in_a_row=20, checkpoints=None):
    """Return the loop of a consumer, with its `readiness`."""
    readiness = Readiness(*consumer_loop.NEEDS)
    dead_letters = PostgresDeadLetters(engine, KafkaConnection(servers), prefix, subscription.topic)
    consumer = consumer_loop.ConsumerLoop(
        TopicAdmin(KafkaConnection(servers), subscription.topic, prefix, ACCESS[subscription.role].creates),
        partial(GroupConsumer, subscription, KafkaConnection(servers), prefix),
        BatchHandler(decode, run, dead_letters, limit=PoisonLimit(most_in_a_row)),
        readiness,
        batch=subscription.batch,
        progress=checkpoints and Progress(checkpoints, subscription.topic.named(prefix)),
    )
    consumer.readiness = readiness
    return consumer


DAY = 24 * 3600 * 1_000_000


class Consumers:
    """A topic of events, one of commands, a write model, and process managers and workers between them."""

    def __init__(self, engine, servers, prefix):
        self.engine, self.bootstrap, self.prefix = engine, servers, prefix
        self.transports = dict.fromkeys(HANDLERS, Transport.ASYNC)
        self.commands = topics.COMMANDS.named(prefix)
        begin = PostgresTransactions(engine).begin
        self.bus = CommandBus(begin, lambda: None, HANDLERS, source="/worker", accepted=True)
        self.producer = CommandProducer(KafkaConnection(servers), prefix, delivery_seconds=2)
        self.producer.start()
        send = self.producer.send
        limits = Limits.of(database=10, broker=1_000, queue_seconds=1)
        self.dispatcher = Dispatcher(self.bus, self.transports, PostgresReservations(engine), send, limits)
        self.authors = [new_id() for _ in range(3)]
        self._sequences = {}

    async def prepare(self):
        """The topics, and the authors. Of several brokers, one may not know a topic yet that was just created."""

        def are_made():
            with suppress(KafkaException):
                ensure_topics(admin_client(KafkaConnection(self.bootstrap)), self.prefix)
                return True

        await eventually(lambda: asyncio.to_thread(are_made), what="the topics are made")
        await self.sign_up()

    def process_manager(self, most_in_a_row=20):
        decode = process_manager.EventDecoder(TABLE, "/pm").decode
        return self._consumer(
            process_manager.SUBSCRIPTION,
            decode,
            process_manager.without_checkpoints(self.dispatcher.pass_on),
            most_in_a_row,
        )

    def worker(self):
        checkpoints = PostgresCheckpoints(self.engine, self.commands)
        return self._consumer(worker.SUBSCRIPTION, worker.decode, self.bus.handle, 20, checkpoints)

    def _consumer(self, subscription, decode, run, most_in_a_row, checkpoints=None):
        return consumer_of(
            self.engine, self.bootstrap, self.prefix, subscription, decode, run, most_in_a_row, checkpoints
        )

    async def run_process_managers(self, limit):
        await self.process_manager().run(asyncio.Event(), limit)

    async def sign_up(self):
        for author_id in self.authors:
            await self.bus.handle([self.sign_up_of(f"u{author_id[-12:]}", author_id)])

    @staticmethod
    def sign_up_of(username, author_id=None):
        command = SignUp(author_id=author_id or new_id(), username=username, email=f"{username}@example.com")
        return ReceivedCommand(command=command, envelope=envelope_of(command))

    def signed(self, author):
        return NewAuthorSigned(author_id=self.authors[author], username="u", signed_up_at=1)

    def followed(self, by, author, day=0):
        """A follow; those of different days notify each."""
        one, other = self.authors[by], self.authors[author]
        return AuthorFollowed(follow_id=new_id(), from_author_id=one, to_author_id=other, followed_at=2 * day * DAY + 1)

    def posted(self, author, message):
        return CheepPosted(
            cheep_id=new_id(), author_id=self.authors[author], author_username="u", message=message, cheep_date=1
        )

    def messages_of(self, *events):
        """The messages of events, in this order, as the relay would send them."""
        return [self._message(event) for event in events]

    def _message(self, event):
        partition = topics.partition_of(event.key)
        self._sequences[partition] = self._sequences.get(partition, 0) + 1
        return envelope_of(event, sequence=self._sequences[partition]), codec.encode(event)

    async def send(self, messages):
        """Send messages to the log."""

        def send():
            producer = Producer({"bootstrap.servers": self.bootstrap, "enable.idempotence": True})
            for envelope, value in messages:
                producer.produce(
                    topics.EVENTS.named(self.prefix),
                    value=value,
                    key=envelope.key,
                    partition=topics.partition_of(envelope.key),
                    headers=[*to_headers(envelope)],
                )
            assert producer.flush(60) == 0

        await asyncio.to_thread(send)

    async def delete(self, topic):
        """Delete a topic, and wait until it no longer exists."""
        admin, name = admin_client(KafkaConnection(self.bootstrap)), topic.named(self.prefix)
        await asyncio.to_thread(admin.delete_topics([name])[name].result, 10)

        async def is_deleted():
            return await asyncio.to_thread(describe, admin, topic, self.prefix) is None

        await eventually(is_deleted)

    async def rows(self, statement):
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement))).all()

    async def notifications(self):
        """Return the notifications by number of author."""
        rows = await self.rows("SELECT author_id::text AS author, kind FROM notifications")
        return sorted((self.authors.index(row.author), row.kind) for row in rows)

    async def wait_for_notifications(self, count):
        """Return the notifications once there are so many."""

        async def all_there():
            found = await self.notifications()
            return found if len(found) >= count else None

        return await eventually(all_there)

    async def letters(self):
        rows = await self.rows("SELECT source_topic, key, reason FROM dead_letters ORDER BY id")
        assert {row.source_topic for row in rows} <= {topics.EVENTS.named(self.prefix)}
        return [(self.authors.index(row.key), row.reason) for row in rows]
