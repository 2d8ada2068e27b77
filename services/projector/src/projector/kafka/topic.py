"""What the broker says of a topic: its id, another one once Kafka was wiped and the topic made anew."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from cheeper_contracts.partitions import PARTITIONS


class WrongTopicError(Exception):
    """The topic has another number of partitions than the contracts say: keys would be on the wrong ones."""


class TopicWatch:
    """Asks for the topic's id every `period` seconds, without ever waiting for the answer.

    `topic_id` is none until the first answer; `why_not` says why there is none, or why the last question failed.
    """

    def __init__(self, admin: AdminClient, topic: str, *, period: float = 2.0) -> None:
        self.topic_id: str | None = None
        self.why_not: str | None = "the broker has not answered yet"
        self._admin = admin
        self._topic = topic
        self._period = period
        self._due = 0.0
        self._asked: Future[Any] | None = None

    def tick(self) -> bool:
        """Asks or takes an answer, if it is time; true when the topic is another one than before."""
        if self._asked is None:
            if time.monotonic() >= self._due:
                question = TopicCollection([self._topic])
                self._asked = self._admin.describe_topics(question, request_timeout=5)[self._topic]
            return False
        if not self._asked.done():
            return False
        asked, self._asked = self._asked, None
        self._due = time.monotonic() + self._period
        return self._take(asked)

    def hurry(self) -> None:
        """Asks again at the next tick."""
        self._due = 0.0

    def _take(self, answer: Future[Any]) -> bool:
        try:
            described = answer.result()
        except KafkaException as error:
            self._due = time.monotonic() + min(self._period, 0.5)
            self.why_not = self._reason(error.args[0])
            return False
        if len(described.partitions) != PARTITIONS:
            raise WrongTopicError(f"{self._topic} has {len(described.partitions)} partitions, not {PARTITIONS}")
        before, self.topic_id, self.why_not = self.topic_id, str(described.topic_id), None
        return before is not None and before != self.topic_id

    def _reason(self, error: KafkaError) -> str:
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return f"the topic {self._topic} is not there: write-api migrate makes it"
        return error_words(error)


def error_words(error: KafkaError) -> str:
    """What librdkafka calls an error of this code: its text for this very one may name hosts."""
    return KafkaError(error.code()).str()
