"""The topic of events as the relay asks after it: which one it is, and whether it still holds what it confirmed.

All methods block, for some seconds at most, and raise KafkaException where the broker is away.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from cheeper_contracts import topics
from write_api.kafka.topics import SECONDS, Admin, describe, ends, ensure_topics, offsets
from write_api.relay.numbering import Sent

_FETCH_SECONDS: Final = 3.0
_REMAKE_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.1

log = structlog.get_logger()


class EventLog:
    """The topic `cheeper.events` of one installation."""

    def __init__(self, bootstrap_servers: str, topic_prefix: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._prefix = topic_prefix
        self._admin = Admin(bootstrap_servers)
        self.name = topics.EVENTS.named(topic_prefix)

    def make(self) -> None:
        """Make the topics that are missing: a wiped Kafka has none. Raises TopicMismatchError."""
        self._admin.ask(ensure_topics, self._prefix)

    def remake(self) -> None:
        """Delete the topic with all it holds, and make it anew."""
        before = self.topic_id()
        if before is not None:
            self._admin.ask(_delete, self.name)
        deadline = time.monotonic() + _REMAKE_SECONDS
        while self.topic_id() in {before, None}:  # brokers delete and make in their own time
            if time.monotonic() > deadline:
                raise TimeoutError(f"the topic {self.name} was not made anew within {_REMAKE_SECONDS:g} s")
            self.make()
            time.sleep(_LOOK_SECONDS)

    def topic_id(self) -> str | None:
        """The topic's id, none where it is missing. Raises TopicMismatchError."""
        return self._admin.ask(describe, topics.EVENTS, self._prefix)

    def ends(self) -> dict[int, int]:
        """The next offset of each partition, as the broker says."""
        return self._admin.ask(ends, topics.EVENTS, self._prefix)

    def lacks(self, topic_id: str | None, sent: Mapping[int, Sent]) -> str | None:
        """How the log of that id shows that it is not the one to which all this was sent; none where it is."""
        if any(state.topic_id != topic_id for state in sent.values()):
            return "the topic is another one" if topic_id else "the topic is missing"
        found = self.ends()
        for partition, state in sent.items():
            if state.last_offset >= found[partition] and not self._holds(partition, state.last_offset):
                return f"partition {partition} ends at {found[partition]}, and had reached {state.last_offset + 1}"
        return None

    def empty(self) -> dict[int, int]:
        """Remove whatever the log holds, and give the next offset of each partition.

        A log that came back empty may hold what was on its way when it was wiped, with sequences that nothing before
        them explains. A broker that cannot remove records keeps them.
        """
        beginnings, following = self._admin.ask(offsets, topics.EVENTS, self._prefix)
        full = [TopicPartition(self.name, p, end) for p, end in following.items() if end > beginnings[p]]
        try:
            if full:
                self._admin.ask(_delete_records, full)
        except KafkaException as error:
            log.warning("the log's remains stay in it", topic=self.name, why=error.args[0].str())
        return following

    def _holds(self, partition: int, offset: int) -> bool:
        # Tansu's watermark counts a batch as one record, so a low one is doubted until the record itself is not there.
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap_servers,
                "group.id": f"{self.name}.relay",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "log_level": 2,
            }
        )
        try:
            consumer.assign([TopicPartition(self.name, partition, offset)])
            message = consumer.poll(_FETCH_SECONDS)
            return message is not None and message.error() is None and message.offset() == offset
        finally:
            consumer.close()


def _delete(admin: AdminClient, name: str) -> None:
    admin.delete_topics([name], request_timeout=SECONDS)[name].result(SECONDS)


def _delete_records(admin: AdminClient, before: list[TopicPartition]) -> None:
    for future in admin.delete_records(before, request_timeout=SECONDS).values():
        future.result(SECONDS)
