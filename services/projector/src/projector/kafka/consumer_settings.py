"""librdkafka's settings of the projector's consumers."""

from __future__ import annotations

from typing import Any

from cheeper_runtime.servers.kafka import KafkaConnection


def consumer_settings(kafka: KafkaConnection, group: str) -> dict[str, Any]:
    """Return librdkafka's settings for a consumer group."""
    return {
        **kafka.client_settings(),
        "group.id": group,
        "client.id": group,
        "enable.auto.commit": True,
        "auto.commit.interval.ms": 1_000,
        "enable.auto.offset.store": False,  # only what is done is committed
        "auto.offset.reset": "error",  # the caller decides where to read
        "enable.partition.eof": True,  # shows for a quiet partition that it can be read again
        "session.timeout.ms": 6_000,  # the partitions of a dead projector are reassigned soon
        "heartbeat.interval.ms": 1_000,
        "fetch.wait.max.ms": 50,  # Tansu answers at half of it, no matter how many messages there are
        "topic.metadata.refresh.interval.ms": 2_000,  # a topic that was made anew is noticed
        "queued.max.messages.kbytes": 16_384,
        "reconnect.backoff.max.ms": 2_000,
        "log.connection.close": False,
    }
