"""Copies of parked messages on `cheeper.dead-letters`, for people and tools; the store's own queue is what counts."""

from __future__ import annotations

import structlog
from confluent_kafka import KafkaException, Producer

from projector.parking import ParkedMessage

log = structlog.get_logger()


class DeadLetters:
    """Sends copies and does not wait for them: a copy that is lost is logged, and the message is still in the store."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    def copy(self, message: ParkedMessage, store: str) -> None:
        """A copy with its own headers, and beside them where it was parked, and why."""
        headers: list[tuple[str, str | bytes | None]] = [*message.raw_headers()]
        headers += [
            ("cheeper_store", store.encode()),
            ("cheeper_why", message.why.encode()),
            ("cheeper_source_topic", (message.source_topic or "").encode()),
            ("cheeper_partition", str(message.partition).encode()),
            ("cheeper_offset", str(message.offset).encode()),
            ("cheeper_stack_digest", (message.stack_digest or "").encode()),
        ]
        try:
            self._producer.produce(self._topic, value=message.raw_value(), key=message.key.encode(), headers=headers)
            self._producer.poll(0)
        except (BufferError, KafkaException) as error:
            log.warning("dead letter not copied", message_id=message.message_id, why=str(error))

    def close(self) -> None:
        """Waits a little for copies that are on their way."""
        self._producer.flush(2)
