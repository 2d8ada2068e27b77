"""Asking a broker of the Kafka protocol whether it is there, and clearing what a test left on it."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from cheeper_local.ports import HOST, answers

_SECONDS = 5.0


def admin(bootstrap: str) -> AdminClient:
    """An admin client that keeps quiet about a broker that is away."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.connection.setup.timeout.ms": 2000})


def is_ready(port: int) -> bool:
    """Whether the broker tells its own address."""
    if not answers(port):
        return False
    try:
        return bool(admin(f"{HOST}:{port}").list_topics(timeout=_SECONDS).brokers)
    except KafkaException:
        return False


def topics(bootstrap: str, prefix: str) -> list[str]:
    """The names of topics that begin so, but for the broker's own."""
    found = admin(bootstrap).list_topics(timeout=_SECONDS).topics
    return [name for name in found if name.startswith(prefix) and not name.startswith("__")]


def make_topic(bootstrap: str, name: str, partitions: int) -> None:
    """Make a topic. Raises KafkaException."""
    client = admin(bootstrap)  # kept: its end would end the request
    made = client.create_topics([NewTopic(name, partitions, 1)], operation_timeout=_SECONDS)
    made[name].result(_SECONDS * 2)


def delete_topics(bootstrap: str, prefix: str) -> list[str]:
    """Delete all topics whose name begins so, and their consumer groups; the names of the topics."""
    client = admin(bootstrap)
    names = topics(bootstrap, prefix)
    if names:
        for done in client.delete_topics(names, operation_timeout=_SECONDS).values():
            done.result(_SECONDS)
    with suppress(KafkaException):  # a group with a member left expires by itself
        _delete_groups(client, prefix)
    return names


class Progress(NamedTuple):
    """How far a consumer group is in a topic: what it has committed, by partition, and how much of it is left."""

    committed: dict[int, int]
    left: int


def progress(bootstrap: str, group: str, topic: str) -> Progress:
    """How far a consumer group is in a topic. Raises KafkaException, and KeyError where there is no such topic.

    Tansu counts a batch of messages as one in `left`, so there it may be 0 too early: whether `committed` still moves
    tells more.
    """
    client = admin(bootstrap)
    metadata = client.list_topics(topic, timeout=_SECONDS).topics[topic]
    partitions = [TopicPartition(topic, number) for number in metadata.partitions]
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = client.list_offsets(dict.fromkeys(partitions, latest), request_timeout=_SECONDS)
    # Awaited before the next question, which may raise: librdkafka crashes where answers are left unclaimed.
    ends = {each.partition: future.result(_SECONDS * 2).offset for each, future in asked.items()}
    answer = client.list_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(group, partitions)], request_timeout=_SECONDS
    )
    committed = {each.partition: each.offset for each in answer[group].result(_SECONDS * 2).topic_partitions}
    left = sum(max(0, end - max(0, committed.get(partition, 0))) for partition, end in ends.items())
    return Progress(committed, left)


def _delete_groups(client: AdminClient, prefix: str) -> None:
    listing = client.list_consumer_groups(request_timeout=_SECONDS).result(_SECONDS * 2)
    groups = [group.group_id for group in listing.valid if group.group_id.startswith(prefix)]
    if groups:
        for done in client.delete_consumer_groups(groups, request_timeout=_SECONDS).values():
            with suppress(KafkaException):
                done.result(_SECONDS * 2)
