"""The requests of the local stack and its tests to a broker of the Kafka protocol."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from cheeper_local.system.ports import HOST, accepts_connections

_SECONDS = 5.0
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


def admin(bootstrap: str) -> AdminClient:
    """Return an admin client that logs nothing while the broker is unavailable."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.connection.setup.timeout.ms": 2000})


def is_ready(port: int) -> bool:
    """Check that the broker reports its own address."""
    if not accepts_connections(port):
        return False
    try:
        return bool(admin(f"{HOST}:{port}").list_topics(timeout=_SECONDS).brokers)
    except KafkaException:
        return False


def topics(bootstrap: str, prefix: str) -> list[str]:
    """Return the topics whose names begin with the prefix, without the broker's own."""
    found = admin(bootstrap).list_topics(timeout=_SECONDS).topics
    return [name for name in found if name.startswith(prefix) and not name.startswith("__")]


def make_topic(bootstrap: str, name: str, partitions: int) -> None:
    """Make a topic. Raises KafkaException."""
    client = admin(bootstrap)  # kept: its end would end the request
    made = client.create_topics([NewTopic(name, partitions, 1)], operation_timeout=_SECONDS)
    made[name].result(_SECONDS * 2)


def delete_topics(bootstrap: str, prefix: str) -> list[str]:
    """Delete all topics whose names begin with the prefix, and their consumer groups. Return the topics' names."""
    client = admin(bootstrap)
    names = topics(bootstrap, prefix)
    if names:
        for done in client.delete_topics(names, operation_timeout=_SECONDS).values():
            done.result(_SECONDS)
    with suppress(KafkaException):  # a group with a member left expires by itself
        _delete_groups(client, prefix)
    return names


def count_messages(bootstrap: str, names: Sequence[str]) -> int:
    """Return the number of messages in the topics. Raises KafkaException."""
    client = admin(bootstrap)
    known = client.list_topics(timeout=_SECONDS).topics
    partitions = [TopicPartition(name, number) for name in names for number in known[name].partitions]
    first, end = _offsets(client, partitions, _EARLIEST), _offsets(client, partitions, _LATEST)
    return sum(end[each] - first[each] for each in partitions)


class Progress(NamedTuple):
    """The progress of a consumer group in a topic: its committed offsets by partition, and the messages left."""

    committed: dict[int, int]
    left: int


def progress(bootstrap: str, group: str, topic: str) -> Progress:
    """Return the progress of a consumer group. Raises KafkaException, and KeyError if there is no such topic.

    Tansu counts a batch of messages as one in `left`, so there it may be 0 too early: `committed` that still moves is
    the better sign.
    """
    client = admin(bootstrap)
    metadata = client.list_topics(topic, timeout=_SECONDS).topics[topic]
    partitions = [TopicPartition(topic, number) for number in metadata.partitions]
    ends = _offsets(client, partitions, _LATEST)
    response = client.list_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(group, partitions)], request_timeout=_SECONDS
    )
    committed = {each.partition: each.offset for each in response[group].result(_SECONDS * 2).topic_partitions}
    left = sum(max(0, end - max(0, committed.get(each.partition, 0))) for each, end in ends.items())
    return Progress(committed, left)


def _offsets(client: AdminClient, partitions: list[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
    requested = client.list_offsets(dict.fromkeys(partitions, spec), request_timeout=_SECONDS)
    # All are awaited before the next request, which may raise: librdkafka crashes if results are left unclaimed.
    return {each: future.result(_SECONDS * 2).offset for each, future in requested.items()}


def _delete_groups(client: AdminClient, prefix: str) -> None:
    listing = client.list_consumer_groups(request_timeout=_SECONDS).result(_SECONDS * 2)
    groups = [group.group_id for group in listing.valid if group.group_id.startswith(prefix)]
    if groups:
        for done in client.delete_consumer_groups(groups, request_timeout=_SECONDS).values():
            with suppress(KafkaException):
                done.result(_SECONDS * 2)
