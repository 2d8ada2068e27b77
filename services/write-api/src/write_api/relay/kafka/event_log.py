"""The topic of events as the relay sees it: its id, and whether it still holds everything that it acknowledged.

All methods block for a few seconds at most, and raise KafkaException if the broker is unavailable.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.groups import consumer_group
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.kafka.access import ACCESS
from write_api.kafka.topics import SECONDS, TopicAdmin
from write_api.relay.kafka.log_tail import LogTail
from write_api.relay.numbering import LastSent

_FETCH_SECONDS: Final = 3.0
_RECREATE_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.1

log = structlog.get_logger()


class EventLog(TopicAdmin):
    """The topic `cheeper.events` of one installation."""

    def __init__(self, kafka: KafkaConnection, topic_prefix: str) -> None:
        super().__init__(kafka, topics.EVENTS, topic_prefix, ACCESS["relay"].creates)
        self._group = consumer_group("relay", topic_prefix)

    def recreate(self) -> None:
        """Delete the topic with everything in it, and create it again."""
        before = self.topic_id()
        if before is not None:
            self.request(_delete, self.name)
        deadline = time.monotonic() + _RECREATE_SECONDS
        while self.topic_id() in {before, None}:  # brokers delete and create asynchronously
            if time.monotonic() > deadline:
                raise TimeoutError(f"the topic {self.name} was not recreated within {_RECREATE_SECONDS:g} s")
            self.create_missing()
            time.sleep(_POLL_SECONDS)

    def loss(self, topic_id: str | None, sent: Mapping[int, LastSent]) -> str | None:
        """Return how the log with that id differs from the one that acknowledged all this, or None if it does not."""
        if any(state.topic_id != topic_id for state in sent.values()):
            return "the topic is another one" if topic_id else "the topic is missing"
        ends = self.high_water_marks()
        for partition, state in sent.items():
            if state.last_offset >= ends[partition] and not self._holds(partition, state.last_offset):
                return f"partition {partition} ends at {ends[partition]}, and had reached {state.last_offset + 1}"
        return None

    def tail(self, sent: Mapping[int, LastSent], *, thorough: bool) -> LogTail:
        """Return a reader of the messages behind these; `thorough` is as for LogTail."""
        first, ends = self.first_offsets(), self.high_water_marks()
        offsets = {partition: max(state.last_offset + 1, first[partition]) for partition, state in sent.items()}
        return LogTail(self._consumer_settings("earliest"), self.name, offsets, ends, thorough=thorough)

    def truncate(self) -> dict[int, int]:
        """Remove all records, and return the next offset of each partition.

        A log that was wiped may hold messages that were in flight at that moment, whose sequences follow nothing. A
        broker that cannot remove records keeps them.
        """
        first, ends = self.first_offsets(), self.high_water_marks()
        remains = [
            TopicPartition(self.name, partition, end) for partition, end in ends.items() if end > first[partition]
        ]
        try:
            if remains:
                self.request(_delete_records, remains)
        except KafkaException as error:
            log.warning("the log's records cannot be removed", topic=self.name, reason=error.args[0].str())
        return ends

    def _holds(self, partition: int, offset: int) -> bool:
        # Tansu's high-water mark counts a batch as one record, so a low mark proves nothing until a fetch fails too.
        consumer = Consumer(self._consumer_settings("error"))
        try:
            consumer.assign([TopicPartition(self.name, partition, offset)])
            message = consumer.poll(_FETCH_SECONDS)
            return message is not None and message.error() is None and message.offset() == offset
        finally:
            consumer.close()

    def _consumer_settings(self, reset: str) -> dict[str, str | int | float | bool]:
        return {
            **self._kafka.client_settings(),
            "group.id": self._group,  # which a consumer must name, although this one never joins it
            "enable.auto.commit": False,
            "auto.offset.reset": reset,
            "log_level": 2,
        }


def _delete(admin: AdminClient, name: str) -> None:
    admin.delete_topics([name], request_timeout=SECONDS)[name].result(SECONDS)


def _delete_records(admin: AdminClient, before: list[TopicPartition]) -> None:
    for future in admin.delete_records(before, request_timeout=SECONDS).values():
        future.result(SECONDS)
