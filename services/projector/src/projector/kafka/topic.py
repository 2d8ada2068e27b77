"""The topic as the broker describes it: its id changes if Kafka is wiped and the topic made anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

import structlog
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from cheeper_contracts.partitions import PARTITIONS

Connect = Callable[[], AdminClient]
"""Returns a new client for requests about topics. It connects when it is first used."""

_SECONDS: Final = 3.0
_AGAIN_SECONDS: Final = 0.5

log = structlog.get_logger()


class WrongTopicError(Exception):
    """The topic has fewer partitions than the contracts state: some keys have none."""


class TopicWatch:
    """Requests the topic's id every `period` seconds without ever waiting for the response.

    `topic_id` is None until the first response. `error` is why there is none, or why the last request failed.

    The client is replaced after a request without a response. While the broker that it takes for the controller is
    down, it sends nothing to the others and connects without any pause, which takes a core (librdkafka 2.16).
    """

    def __init__(self, connect: Connect, topic: str, *, period: float = 2.0) -> None:
        self.topic_id: str | None = None
        self.error: str | None = "the broker has not answered yet"
        self._connect = connect
        self._admin = connect()
        self._topic = topic
        self._period = period
        self._due = 0.0
        self._partitions = PARTITIONS  # as the last response had it
        self._request: Future[Any] | None = None

    def poll(self) -> bool:
        """Send a request or take its response, if it is time. Return True if the topic was replaced by another one."""
        if self._request is None:
            if time.monotonic() >= self._due:
                wanted = TopicCollection([self._topic])
                self._request = self._admin.describe_topics(wanted, request_timeout=_SECONDS)[self._topic]
            return False
        if not self._request.done():
            return False
        response, self._request = self._request, None
        self._due = time.monotonic() + self._period
        return self._take(response)

    def hurry(self) -> None:
        """Send a request at the next poll."""
        self._due = 0.0

    def disconnected(self, error: KafkaError) -> None:
        """Take this error for the state of the broker until it responds again."""
        self.error = error_words(error)
        self.hurry()

    def _take(self, response: Future[Any]) -> bool:
        try:
            described = response.result()
        except KafkaException as error:
            self._due = time.monotonic() + min(self._period, _AGAIN_SECONDS)
            self.error = self._reason(error.args[0])
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:  # which is a broker's response
                self._admin = self._connect()
            return False
        self._check(len(described.partitions))
        before, self.topic_id, self.error = self.topic_id, str(described.topic_id), None
        return before is not None and before != self.topic_id

    def _check(self, partitions: int) -> None:
        if partitions < PARTITIONS:
            raise WrongTopicError(f"{self._topic} has {partitions} partitions, not {PARTITIONS}")
        if partitions > PARTITIONS and partitions != self._partitions:
            # Each message names its partition, so no key changes its place.
            log.warning(
                "a topic has more partitions than are used; the others stay empty",
                topic=self._topic,
                partitions=partitions,
                used=PARTITIONS,
            )
        self._partitions = partitions

    def _reason(self, error: KafkaError) -> str:
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return f"the topic {self._topic} is not there: write-api migrate makes it"
        return error_words(error)


def error_words(error: KafkaError) -> str:
    """Return librdkafka's description of the error's code. The error's own text may name hosts."""
    return KafkaError(error.code()).str()
