"""Sends a batch to Kafka and waits until all of it is confirmed, in order and without a gap."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from cheeper_contracts.envelope import to_headers
from write_api.kafka.topics import words_of
from write_api.relay.numbering import Numbered

_FLUSH_SECONDS: Final = 0.25
_SLOW_SECONDS: Final = 2.0
_STALLED_SECONDS: Final = 15.0


class DeliveryError(Exception):
    """A message was not confirmed. What came of the others is unknown: only a new producer may send again."""


class Publisher:
    """A producer that is thrown away with the first failure, since what it has on its way is then uncertain.

    The messages themselves have no time-out: one that librdkafka gave up would leave a gap before those behind it.
    """

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._topic = topic
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "client.id": "write-api-relay",
                "enable.idempotence": True,
                "acks": "all",
                "message.timeout.ms": 0,
                "linger.ms": 5,
                "allow.auto.create.topics": False,
                "log_level": 2,
            }
        )

    async def send(
        self, messages: Sequence[Numbered], stop: asyncio.Event, slow: Callable[[], None]
    ) -> list[int] | None:
        """Send the messages, in this order within a partition, and give their offsets; none where `stop` came first.

        `slow` is called when the broker takes long. Raises DeliveryError.
        """
        delivery = _Delivery(len(messages))
        for index, message in enumerate(messages):
            self._produce(message, delivery.callback(index))
        waiting_since, left = time.monotonic(), delivery.left
        while delivery.left and delivery.error is None:
            await asyncio.to_thread(self._producer.flush, _FLUSH_SECONDS)  # which also passes over linger.ms
            if delivery.left < left:
                waiting_since, left = time.monotonic(), delivery.left
            waited = time.monotonic() - waiting_since
            if delivery.left and stop.is_set():
                return None
            if waited > _SLOW_SECONDS:
                slow()
            if waited > _STALLED_SECONDS:
                raise DeliveryError(f"no confirmation within {_STALLED_SECONDS:g} s")
        if delivery.error is not None:
            raise DeliveryError(words_of(delivery.error))
        return delivery.offsets

    async def close(self) -> None:
        """Drop the producer with whatever it still has; the next one sends that again."""
        self._producer.purge()
        await asyncio.to_thread(self._producer.flush, _FLUSH_SECONDS)

    def _produce(self, message: Numbered, report: Callable[[KafkaError | None, Message], None]) -> None:
        arguments: dict[str, Any] = {
            "value": message.payload,
            "key": message.envelope.key,
            "partition": message.partition,
            "headers": to_headers(message.envelope),
            "on_delivery": report,
        }
        self._producer.produce(self._topic, **arguments)


class _Delivery:
    """What has been confirmed of a batch."""

    def __init__(self, count: int) -> None:
        self.offsets = [-1] * count
        self.left = count
        self.error: KafkaError | None = None

    def callback(self, index: int) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, message: Message) -> None:
            self.left -= 1
            if error is not None:
                self.error = self.error or error
            else:
                self.offsets[index] = message.offset() or 0

        return report
