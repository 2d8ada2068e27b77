"""The readiness check of Kafka."""

from __future__ import annotations

import asyncio

from confluent_kafka import KafkaException

from cheeper_contracts.kafka.topics import Topic
from cheeper_runtime.checks import Check
from write_api.kafka.topics import TopicAdmin, TopicMismatchError
from write_api.ops.recent_failure import RecentFailure


def check_of_topic(bootstrap_servers: str, topic: Topic, prefix: str, failure: RecentFailure) -> Check:
    """Return a check that fails if the topic is missing or wrong, or if sending to it failed recently."""
    admin = TopicAdmin(bootstrap_servers, topic, prefix)

    async def check() -> str | None:
        try:
            topic_id = await asyncio.to_thread(admin.topic_id)
        except KafkaException as error:
            return f"no answer: {error.args[0].name()}"
        except TopicMismatchError as error:
            return str(error)
        return failure.reason() if topic_id else f"waiting for the topic {topic.name}"

    return check
