"""The tail of the log: the messages that Kafka holds behind those that the relay's cursor knows. All methods block."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, cast

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from cheeper_contracts.kafka.envelope import Headers, MalformedEnvelopeError, from_headers

_MESSAGES: Final = 2000
_POLL_SECONDS: Final = 1.0
_STALLED_SECONDS: Final = 10.0


class LoggedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message that the log holds, with its offset and what identifies it there."""

    partition: int
    offset: int
    sequence: int
    message_id: str


class LogTail:
    """Reads the topic from these offsets up to the high-water marks, by partition, with librdkafka's `settings`.

    `thorough` reads until nothing more comes for a second: Tansu's marks count a batch as one message.
    """

    def __init__(
        self,
        settings: Mapping[str, str | int | float | bool],
        topic: str,
        offsets: Mapping[int, int],
        high_water_marks: Mapping[int, int],
        *,
        thorough: bool,
    ) -> None:
        self._thorough = thorough
        self._left = {p: mark for p, mark in high_water_marks.items() if p in offsets and offsets[p] < mark}
        self._consumer: Consumer | None = None
        starts = dict(offsets) if thorough else {partition: offsets[partition] for partition in self._left}
        if not starts:
            return
        self._consumer = Consumer(dict(settings))
        self._consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in starts.items()])

    def read(self) -> list[LoggedMessage]:
        """Return the next messages, or an empty list at the end. A message that no relay sent is skipped.

        Raise KafkaException or TimeoutError.
        """
        if self._consumer is None:
            return []
        deadline = time.monotonic() + _STALLED_SECONDS
        while self._left or self._thorough:
            found = self._consumer.consume(_MESSAGES, _POLL_SECONDS if not self._left else 0.1)
            if not found and not self._left:
                self._thorough = False
            if messages := [logged for logged in map(self._logged, found) if logged is not None]:
                return messages
            if time.monotonic() > deadline:
                raise TimeoutError("the end of the log cannot be read")
        return []

    def close(self) -> None:
        """Close the connection."""
        if self._consumer is not None:
            self._consumer.close()

    def _logged(self, message: Message) -> LoggedMessage | None:
        if (error := message.error()) is not None:
            raise KafkaException(error)
        partition, offset = message.partition() or 0, message.offset() or 0
        if offset + 1 >= self._left.get(partition, offset + 2):
            del self._left[partition]
        with suppress(MalformedEnvelopeError):
            envelope = from_headers(cast("Headers", message.headers()))
            if envelope.sequence is not None:
                return LoggedMessage(partition, offset, envelope.sequence, envelope.message_id)
        return None
