"""Kafka: the ends of the topics, and the place of the process managers. No message is read."""

from __future__ import annotations

from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from cheeper_contracts.kafka.groups import consumer_group
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_runtime.servers.kafka import KafkaConnection
from inspector.sources.topics import as_unavailable
from inspector.system.state import PROCESS_MANAGER, Log

_SECONDS: Final = 3.0


def admin_client(connection: KafkaConnection) -> AdminClient:
    """Return a client that describes topics and groups. It connects when it is first used."""
    return AdminClient({**connection.client_settings(), "log_level": 2})


def read_log(admin: AdminClient, prefix: str) -> Log:
    """Return the ends of the topics and the next offsets of the process managers. Raise StoreUnavailableError."""
    commands, events = COMMANDS.named(prefix), EVENTS.named(prefix)
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its package has types but for this
    wanted = {
        TopicPartition(topic.named(prefix), partition): latest
        for topic in (COMMANDS, EVENTS)
        for partition in range(topic.partitions)
    }
    group = ConsumerGroupTopicPartitions(consumer_group(PROCESS_MANAGER, prefix))
    with as_unavailable():
        ends = admin.list_offsets(wanted, request_timeout=_SECONDS)
        [offsets] = admin.list_consumer_group_offsets([group], request_timeout=_SECONDS).values()
        found = {(place.topic, place.partition): each.result().offset for place, each in ends.items()}
        committed = offsets.result().topic_partitions or ()
    return Log(
        {partition: end for (topic, partition), end in found.items() if topic == commands},
        {partition: end for (topic, partition), end in found.items() if topic == events},
        {each.partition: each.offset for each in committed if each.topic == events and each.offset >= 0},
    )
