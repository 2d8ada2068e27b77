"""Measuring how much a Kafka consumer with given settings prefetches while its messages are not taken."""

from __future__ import annotations

import json
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

from cheeper_local.waiting import until

OVERSHOOT: Final = 1024 * 1024
"""The bytes per partition by which librdkafka may exceed its limit: those of requests in flight."""
_VALUE: Final = b"x" * 100_000
_MESSAGES: Final = 480
_SAMPLES: Final = 15


def fill(bootstrap_servers: str, topic: str, partitions: int) -> int:
    """Send more bytes to a topic than any consumer of ours may prefetch. Return their number."""
    producer = Producer({"bootstrap.servers": bootstrap_servers})
    for number in range(_MESSAGES):
        producer.produce(topic, value=_VALUE, partition=number % partitions)
    until(lambda: producer.flush(1) == 0, 30)
    return _MESSAGES * len(_VALUE)


def most_fetched(settings: dict[str, Any], topic: str, partitions: int) -> int:
    """Return the most bytes that a consumer of the whole topic, from its start, prefetches while it takes none."""
    found: list[int] = []

    def record(statistics: str) -> None:
        there = json.loads(statistics)["topics"].get(topic, {}).get("partitions", {})
        # All partitions share one queue, and each reports the whole of it.
        found.append(max((each["fetchq_size"] for each in there.values()), default=0))

    consumer = Consumer({**settings, "statistics.interval.ms": 100, "stats_cb": record})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])

    def has_settled() -> bool:
        consumer.poll(0)
        return len(found) > _SAMPLES and 0 < max(found) == max(found[:-_SAMPLES])

    until(has_settled, 60)
    consumer.close()
    return max(found)
