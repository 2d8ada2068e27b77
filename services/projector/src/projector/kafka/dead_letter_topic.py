"""Copies of parked messages on `cheeper.dead-letters`, for people and tools; the store's own queue is what counts."""

from __future__ import annotations

from functools import partial
from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from cheeper_contracts.kafka.dead_letters import BEHIND, CRASHED, MALFORMED, DeadLetter, Reason, to_headers
from projector.kafka.topic import error_words
from projector.messages.parked import ParkedMessage

_LAST_SECONDS: Final = 2.0

log = structlog.get_logger()


class DeadLetters:
    """Sends copies without waiting for them. A lost copy is logged, and the message is still in the store."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    def copy(self, message: ParkedMessage, store: str) -> None:
        """Send a copy with the message's own headers and those of a dead letter: where it was parked, and why."""
        try:
            self._producer.produce(
                self._topic,
                value=message.raw_value(),
                key=message.key.encode(),
                headers=[*message.raw_headers(), *to_headers(_dead_letter(message, store))],
                on_delivery=partial(_delivered, message.message_id),
            )
        except (BufferError, KafkaException) as error:
            _lost(message.message_id, str(error))

    def poll(self) -> None:
        """Log the copies that were lost since the last call."""
        self._producer.poll(0)

    def close(self) -> None:
        """Wait some seconds for copies that are on their way, and log those that are lost."""
        if self._producer.flush(_LAST_SECONDS):
            self._producer.purge()
            self._producer.flush(_LAST_SECONDS)  # reports what was purged


def _dead_letter(message: ParkedMessage, store: str) -> DeadLetter:
    return DeadLetter(
        store=store,
        reason=_reason(message),
        error="" if message.behind else message.reason,
        stack_digest=message.stack_digest or "",
        topic=message.source_topic or "",
        partition=message.partition,
        offset=message.offset,
    )


def _reason(message: ParkedMessage) -> Reason:
    if message.behind:
        return BEHIND
    return CRASHED if message.decoded().poison is None else MALFORMED


def _delivered(message_id: str | None, error: KafkaError | None, _copy: Message) -> None:
    if error is not None:
        _lost(message_id, error_words(error))


def _lost(message_id: str | None, reason: str) -> None:
    log.warning("dead letter not copied", message_id=message_id, reason=reason)
