"""Fixtures of the integration tests of relay, worker and Kafka: an outbox with its topic, a reader of topics, and roles
that keep running.
"""

import asyncio
import re
import sys
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import Envelope, from_headers
from cheeper_local.testing import until
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api import outbox
from write_api.bus.ids import new_id
from write_api.db.schema.roles import RIGHTS, ensure_role
from write_api.kafka.topics import admin_client
from write_api.ops.metrics import RelayMetrics
from write_api.relay import loop as relay_loop
from write_api.relay.epoch import raise_epoch
from write_api.relay.kafka.event_log import EventLog
from write_api.relay.kafka.publisher import Publisher, gapless_producer
from write_api.relay.postgres.cursor import connect
from write_api.settings import from_env

sys.path.insert(0, str(Path(__file__).parent))  # `write_api_…` are shared by these tests alone

from write_api_consumers import Consumers
from write_api_serving import served

READ_SECONDS = 30


class OutboxScene:
    """An outbox, its topic, and relays between them."""

    def __init__(self, engine, url, servers, prefix):
        self.engine, self.url, self.bootstrap, self.prefix = engine, url, servers, prefix
        self.topic = topics.EVENTS.named(prefix)

    def relay(self, servers=None, **options):
        readiness, servers = Readiness(*relay_loop.NEEDS), servers or self.bootstrap
        registry = CollectorRegistry()
        event_log, metrics = EventLog(KafkaConnection(servers), self.prefix), RelayMetrics(registry)
        relay = relay_loop.Relay(
            partial(connect, self.url),
            event_log,
            lambda: Publisher(gapless_producer(KafkaConnection(servers)), self.topic),
            readiness,
            metrics=metrics,
            **options,
        )
        relay.readiness, relay.registry = readiness, registry
        return relay

    def new_publisher(self):
        return Publisher(gapless_producer(KafkaConnection(self.bootstrap)), self.topic)

    async def raise_epoch(self):
        await raise_epoch(
            partial(connect, self.url), EventLog(KafkaConnection(self.bootstrap), self.prefix), self.new_publisher
        )

    async def relay_some(self, count):
        await self.relay().run(asyncio.Event(), count)

    async def write(self, *keys):
        """One transaction with a message for each key; the first message's id."""
        async with self.engine.begin() as connection:
            left = [await self.leave(connection, key, "x") for key in keys]
        return left[0]

    async def delete_topic(self):
        def delete():
            admin = admin_client(KafkaConnection(self.bootstrap))
            admin.delete_topics([self.topic])[self.topic].result(60)

        await asyncio.to_thread(delete)

    def make_topic(self, *, most):
        """The topic, of which the broker takes no batch that has more bytes."""
        config = {**topics.EVENTS.config, "max.message.bytes": str(most)}
        admin = admin_client(KafkaConnection(self.bootstrap))
        for made in admin.create_topics([NewTopic(self.topic, topics.EVENTS.partitions, config=config)]).values():
            made.result(60)

    def take_all(self):
        """From now on, or soon, the broker takes it however large it is."""
        entry = ConfigEntry("max.message.bytes", "1000000", incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, self.topic, incremental_configs=[entry])
        admin = admin_client(KafkaConnection(self.bootstrap))
        for done in admin.incremental_alter_configs([resource]).values():
            done.result(60)

    async def execute(self, statement, **values):
        async with self.engine.begin() as connection:
            return await connection.execute(text(statement), values)

    @staticmethod
    async def leave(connection, key, message):
        message_id = new_id()
        event = CheepPosted(cheep_id=message_id, author_id=key, author_username="u", message=message, cheep_date=1)
        envelope = Envelope(
            message_id=message_id, type=event.TYPE, source="/test", time=1, key=key, correlation_id=message_id
        )
        await outbox.append_all(connection, [(envelope, event)])
        return message_id

    @staticmethod
    def by_sequence(messages):
        """The messages of each partition in the log's order without the repeated ones, which must be repeats indeed."""
        kept = {}
        for partition, _, envelope, value, _ in messages:
            there = kept.setdefault(partition, [])
            if envelope.sequence <= len(there):
                assert there[envelope.sequence - 1] == (envelope, value), "a sequence was given to two messages"
            else:
                assert envelope.sequence == len(there) + 1, f"a gap before {envelope.sequence} in partition {partition}"
                there.append((envelope, value))
        return kept


@pytest.fixture
async def outbox_scene(engine, postgres_user, kafka_bootstrap, topic_prefix):
    """An outbox, whose relays have the rights of their role alone."""
    return OutboxScene(engine, await postgres_user("relay"), kafka_bootstrap, topic_prefix)


@pytest.fixture
def postgres_user(engine, postgres_url, tmp_path):
    """Makes a user of the test's database with the rights of a role: the URL with which it logs in."""
    made = []

    async def make(role, password="first"):  # noqa: S107 - of a test's user
        user = f"{role}_of_{urlsplit(postgres_url).path[1:]}"[:60]
        (file := tmp_path / role).write_text(f"{password}\n")
        await ensure_role(engine, file, user, RIGHTS[role])
        made.append(user)
        return re.sub("//[^@]*@", f"//{user}:{password}@", postgres_url)

    yield make
    with psycopg.connect(postgres_url) as connection:  # users belong to the whole server
        for user in dict.fromkeys(made):
            connection.execute(f"DROP OWNED BY {user}")
            connection.execute(f"DROP ROLE {user}")


@pytest.fixture
def scene_on_database(request, topic_prefix):
    """An outbox on another database, with the shared broker."""

    def make(engine, url):
        return OutboxScene(engine, url, request.getfixturevalue("kafka_bootstrap"), topic_prefix)

    return make


@pytest.fixture
def scene_on(engine, postgres_url):
    """An outbox with a broker of its own."""
    return lambda broker: OutboxScene(engine, postgres_url, broker.url, "")


@pytest.fixture
def read_topic(request):
    """Reads a topic of the shared broker, or of another one, from its start until it has given `count` messages, and
    then for as long as more are there: the messages of all partitions as (partition, offset, envelope, value, headers),
    in order within each.
    """

    def read(name, count, broker):
        consumer = Consumer({"bootstrap.servers": broker, "group.id": name, "auto.offset.reset": "earliest"})
        partitions = until(lambda: consumer.list_topics(name, timeout=10).topics[name].partitions)
        consumer.assign([TopicPartition(name, partition, 0) for partition in partitions])
        found, deadline = [], time.monotonic() + READ_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            found += good(consumer.consume(1000, 0.2))
        found += good(consumer.consume(1000, 0.5))
        consumer.close()
        assert len(found) >= count, f"{len(found)} messages came, not {count}"
        return [_parts_of(message) for message in found]

    async def read_beside(name, count, broker=None):
        return await asyncio.to_thread(read, name, count, broker or request.getfixturevalue("kafka_bootstrap"))

    return read_beside


@pytest.fixture
def http_client(postgres_url, kafka_bootstrap, topic_prefix):
    """A client of the HTTP role on these servers."""
    given = {"DATABASE_URL": postgres_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "TOPIC_PREFIX": topic_prefix}
    return lambda: served(from_env(given | {"PORT": "0"}, "http"))


def good(messages):
    return [message for message in messages if message.error() is None]


def _parts_of(message):
    headers = [(name, value) for name, value in message.headers() or []]
    envelope = from_headers(headers) if dict(headers).get("ce_id") else None
    return message.partition(), message.offset(), envelope, message.value(), dict(headers)


@pytest.fixture
async def consumers(engine, kafka_bootstrap, topic_prefix):
    """Process managers and workers on the test's Kafka."""
    consumers = Consumers(engine, kafka_bootstrap, topic_prefix)
    await consumers.prepare()
    yield consumers
    await consumers.producer.close()
