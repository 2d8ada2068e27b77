"""What readiness asks of Kafka."""

from __future__ import annotations

import asyncio

from confluent_kafka import KafkaException

from cheeper_contracts.topics import Topic
from write_api.kafka.topics import Admin, TopicMismatchError, describe
from write_api.ops.needs import Check
from write_api.ops.recent_failure import Trouble


def check_of_topic(bootstrap_servers: str, topic: Topic, prefix: str, trouble: Trouble) -> Check:
    """Whether Kafka answers, has the topic as it must be, and lately took what was sent."""
    admin = Admin(bootstrap_servers)

    async def check() -> str | None:
        try:
            found = await asyncio.to_thread(admin.ask, describe, topic, prefix)
        except KafkaException as error:
            return f"no answer: {error.args[0].name()}"
        except TopicMismatchError as error:
            return str(error)
        return trouble.why_not() if found else f"waiting for the topic {topic.name}"

    return check
