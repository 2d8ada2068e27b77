"""The readiness check of Kafka."""

from __future__ import annotations

import asyncio
from typing import Final

from confluent_kafka import KafkaException

from cheeper_contracts.kafka.topics import Topic
from cheeper_runtime.readiness.checks import CHECK_SECONDS, Check
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.kafka.topics import TopicAdmin, TopicMismatchError
from write_api.ops.recent_failure import RecentFailure

_SECONDS: Final = 0.75 * CHECK_SECONDS  # so that the broker's refusal is known before the check is late


def check_of_topic(kafka: KafkaConnection, topic: Topic, prefix: str, failure: RecentFailure) -> Check:
    """Return a check that fails if the topic is missing or wrong, or if sending to it failed recently."""
    admin = TopicAdmin(kafka, topic, prefix)

    async def check() -> str | None:
        try:
            topic_id = await asyncio.to_thread(admin.topic_id, _SECONDS)
        except KafkaException as error:
            return f"no answer: {admin.refusal or error.args[0].name()}"
        except TimeoutError:
            return f"no answer: {admin.refusal}" if admin.refusal else f"no answer within {_SECONDS:g} s"
        except TopicMismatchError as error:
            return str(error)
        return failure.reason() if topic_id else f"waiting for the topic {topic.name}"

    return check
