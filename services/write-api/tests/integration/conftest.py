"""What the integration tests of relay, worker and Kafka share: looking into topics, and keeping a role running."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from confluent_kafka import Consumer, TopicPartition

from cheeper_contracts.envelope import from_headers
from cheeper_local.testing import until

READ_SECONDS = 30


@pytest.fixture
def read_topic(request):
    """Reads a topic of the shared broker, or of another one, from its start until it has given `count` messages, and
    then for as long as more are there: the messages of all partitions as (partition, offset, envelope, value, headers),
    in order within each.
    """

    def read(name, count, broker):
        consumer = Consumer({"bootstrap.servers": broker, "group.id": name, "auto.offset.reset": "earliest"})
        partitions = until(lambda: consumer.list_topics(name, timeout=10).topics[name].partitions, READ_SECONDS)
        consumer.assign([TopicPartition(name, partition, 0) for partition in partitions])
        found, deadline = [], time.monotonic() + READ_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            found += good(consumer.consume(1000, 0.2))
        found += good(consumer.consume(1000, 0.5))
        consumer.close()
        assert len(found) >= count, f"{len(found)} messages came, not {count}"
        return [_told(message) for message in found]

    async def read_beside(name, count, broker=None):
        return await asyncio.to_thread(read, name, count, broker or request.getfixturevalue("kafka_bootstrap"))

    return read_beside


@pytest.fixture
def running():
    """Keeps roles running while a block lasts: each has `run(stop)`."""

    @asynccontextmanager
    async def run(*roles):
        stop = asyncio.Event()
        tasks = [asyncio.create_task(role.run(stop)) for role in roles]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    return run


def good(messages):
    return [message for message in messages if message.error() is None]


def _told(message):
    headers = [(name, value) for name, value in message.headers() or []]
    envelope = from_headers(headers) if dict(headers).get("ce_id") else None
    return message.partition(), message.offset(), envelope, message.value(), dict(headers)
