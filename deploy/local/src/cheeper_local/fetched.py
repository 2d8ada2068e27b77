"""How much a Kafka consumer with given settings fetches ahead, while nobody takes it."""

from __future__ import annotations

import json
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

from cheeper_local.waiting import until

OVERSHOOT: Final = 1024 * 1024
"""Bytes that librdkafka may have beyond its limit, for each partition: what it asked for before that was reached."""
_VALUE: Final = b"x" * 100_000
_MESSAGES: Final = 480
_LOOKS: Final = 15


def fill(bootstrap_servers: str, topic: str, partitions: int) -> int:
    """Send some megabytes to a topic, more than any consumer of ours may fetch ahead; how many bytes."""
    producer = Producer({"bootstrap.servers": bootstrap_servers})
    for number in range(_MESSAGES):
        producer.produce(topic, value=_VALUE, partition=number % partitions)
    until(lambda: producer.flush(1) == 0, 30)
    return _MESSAGES * len(_VALUE)


def most_fetched(settings: dict[str, Any], topic: str, partitions: int) -> int:
    """The most bytes that a consumer of the whole topic, from its start, has ahead, while it takes next to nothing."""
    found: list[int] = []

    def note(statistics: str) -> None:
        there = json.loads(statistics)["topics"].get(topic, {}).get("partitions", {})
        # All partitions have one queue between them, and each tells of the whole of it.
        found.append(max((each["fetchq_size"] for each in there.values()), default=0))

    consumer = Consumer({**settings, "statistics.interval.ms": 100, "stats_cb": note})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])

    def grows_no_more() -> bool:
        consumer.poll(0)
        return len(found) > _LOOKS and 0 < max(found) == max(found[:-_LOOKS])

    until(grows_no_more, 60)
    consumer.close()
    return max(found)
