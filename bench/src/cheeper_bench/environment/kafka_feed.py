"""Kafka as the benchmarks use it: filling topics as the services do, and looking at how far they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from cheeper_bench.environment.durable import PRODUCER, check_topic
from cheeper_bench.environment.events import NumberedEvent
from cheeper_bench.errors import BenchError
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS, partition_of
from cheeper_contracts.messages import Command, Event
from cheeper_contracts.partitions import PARTITIONS
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.kafka import topics

_SECONDS: Final = 60.0


def make_topics(bootstrap_servers: str, prefix: str) -> None:
    """Make the installation's topics, and make sure that they keep their messages."""
    topics.ensure_topics(topics.admin_client(KafkaConnection(bootstrap_servers)), prefix)
    for topic in (COMMANDS, EVENTS):
        check_topic(bootstrap_servers, topic.named(prefix))


def send_events(bootstrap_servers: str, prefix: str, everything: Iterable[NumberedEvent]) -> None:
    """Put events into the log, as the relay would have. Raise BenchError."""
    _send(bootstrap_servers, EVENTS.named(prefix), ((one.event, one.envelope) for one in everything))


def send_commands(bootstrap_servers: str, prefix: str, commands: Iterable[tuple[Command, Envelope]]) -> None:
    """Put commands on their topic, as write-api's HTTP role does. Raise BenchError."""
    _send(bootstrap_servers, COMMANDS.named(prefix), commands)


def _send(bootstrap_servers: str, topic: str, messages: Iterable[tuple[Command | Event, Envelope]]) -> None:
    failed: list[str] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(error.str())

    producer = Producer({**PRODUCER, "bootstrap.servers": bootstrap_servers, "queue.buffering.max.messages": 1_000_000})
    for message, envelope in messages:
        headers: Any = to_headers(envelope)
        producer.produce(
            topic,
            value=codec.encode(message),
            key=envelope.key,
            partition=partition_of(envelope.key),
            headers=headers,
            on_delivery=report,
        )
        producer.poll(0)
    if producer.flush(_SECONDS) or failed:
        raise BenchError(f"Kafka did not take all messages: {failed[:1]}")


class Ends:
    """The number of messages in a topic."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
        self._topic = topic

    def by_partition(self) -> Mapping[int, int]:
        """Return the next offset of each partition."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(self._topic, partition): latest for partition in range(PARTITIONS)}
        found = self._admin.list_offsets(asked)
        return {place.partition: future.result(_SECONDS).offset for place, future in found.items()}

    def all(self) -> int:
        """Return the number in all partitions."""
        return sum(self.by_partition().values())


def reader(bootstrap_servers: str, topic: str, offsets: Mapping[int, int]) -> Consumer:
    """Return a consumer of the topic from those offsets on, of no group that anybody shares."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": f"bench.{topic}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
            "log_level": 2,
        }
    )
    consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in offsets.items()])
    return consumer


def skip_to_end(bootstrap_servers: str, topic: str, group: str) -> None:
    """Move the offsets of a group that does not run to the end of the topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": group, "log_level": 2})
    ends = Ends(bootstrap_servers, topic).by_partition()
    try:
        consumer.commit(offsets=[TopicPartition(topic, *place) for place in ends.items()], asynchronous=False)
    finally:
        consumer.close()
