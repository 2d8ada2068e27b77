"""The publisher sends batches to Kafka in order and without a gap, and waits until a whole batch is acknowledged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from cheeper_contracts.kafka.envelope import to_headers
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.kafka.errors import error_text
from write_api.relay.numbering import NumberedMessage

SLOW_SECONDS: Final = 2.0
"""After this time without a response from Kafka or the database, the relay is not ready."""
_WAIT_SECONDS: Final = 0.25
_STALLED_SECONDS: Final = 15.0
_KNOWN_SECONDS: Final = 3600.0  # by default, brokers forget a producer that is silent for a day
_STOPPED: Final = (KafkaException, SystemError)  # the binding may turn the first into the second
_SILENT: Final = logging.getLogger("librdkafka")  # it would log as fatal, with host names, what readiness exposes
_SILENT.disabled = True


class DeliveryError(Exception):
    """A message was not acknowledged. The state of the others is unknown: only a new producer may send again."""


class Delivery:
    """The acknowledgements of a batch: the offsets of each partition in the order of its messages, and the number of
    messages that are not acknowledged yet.
    """

    def __init__(self, count: int, offsets: Mapping[int, list[int]] | None = None) -> None:
        self.left = count
        self.offsets = dict(offsets or {})
        self.error: KafkaError | None = None

    def report(self, error: KafkaError | None, message: Message) -> None:
        """Record the delivery report of a message. The reports of a partition come in its order.

        After a leader has died, the next one may recognise a repeat without its offset. That is a failure: the next
        producer finds out where the log ends.
        """
        self.left -= 1
        offset = message.offset() or 0
        if error is None and offset < 0:
            error = KafkaError(KafkaError.LEADER_NOT_AVAILABLE, "acknowledged without an offset")
        if error is not None:
            self.error = self.error or error
        else:
            self.offsets.setdefault(message.partition() or 0, []).append(offset)


class Publisher:
    """A producer that is discarded after the first failure, since the state of its messages in flight is then unknown.

    Messages have no time-out: one that librdkafka gave up would leave a gap before the next ones. So would one that the
    broker refuses, which is why the producer stops with it and the broker refuses everything in flight behind it. A
    broker can only do so in a partition where it knows the producer: elsewhere it takes any sequence. The first message
    of a producer to each partition is therefore sent alone.
    """

    def __init__(self, producer: Producer, topic: str) -> None:
        self._topic = topic
        self._acknowledged_at: dict[int, float] = {}  # the last time, by partition
        self._producer = producer

    async def send(
        self, messages: Sequence[NumberedMessage], stop: asyncio.Event, slow: Callable[[], None]
    ) -> Delivery | None:
        """Send the messages behind those that were sent before, in this order within a partition.

        Wait, as `acknowledged` does, only for the first message to a partition where the broker does not know this
        producer. Return None if `stop` is set meanwhile. Raise DeliveryError, or KafkaException if the producer has
        stopped.
        """
        firsts: dict[int, NumberedMessage] = {}
        others = []
        for message in messages:
            if message.partition in firsts or self._is_known_to(message.partition):
                others.append(message)
            else:
                firsts[message.partition] = message
        offsets = await self.acknowledged(self._produce(firsts.values(), Delivery(len(firsts))), stop, slow)
        return None if offsets is None else self._produce(others, Delivery(len(others), offsets))

    async def acknowledged(
        self, delivery: Delivery, stop: asyncio.Event, slow: Callable[[], None]
    ) -> dict[int, list[int]] | None:
        """Return the offsets of each partition once the whole batch is acknowledged, or None if `stop` is set first.

        `slow` is called if the broker is slow. Raise DeliveryError.
        """
        self._poll(0)  # in this thread: reports that another thread takes would each wait for this one
        waiting_since, left = time.monotonic(), delivery.left
        while delivery.left and delivery.error is None:
            await asyncio.to_thread(self._wait, delivery)
            if delivery.left < left:
                waiting_since, left = time.monotonic(), delivery.left
            waited = time.monotonic() - waiting_since
            if delivery.left and stop.is_set():
                return None
            if waited > SLOW_SECONDS:
                slow()
            if waited > _STALLED_SECONDS:
                raise DeliveryError(f"no acknowledgement within {_STALLED_SECONDS:g} s")
        if delivery.error is not None:
            raise DeliveryError(error_text(delivery.error))
        self._acknowledged_at |= dict.fromkeys(delivery.offsets, time.monotonic())
        return delivery.offsets

    async def close(self) -> None:
        """Discard the producer with its messages in flight, which the next one sends again."""
        self._producer.purge()
        with suppress(*_STOPPED):
            await asyncio.to_thread(self._producer.flush, _WAIT_SECONDS)

    def _is_known_to(self, partition: int) -> bool:
        return time.monotonic() - self._acknowledged_at.get(partition, -_KNOWN_SECONDS) < _KNOWN_SECONDS

    def _produce(self, messages: Iterable[NumberedMessage], delivery: Delivery) -> Delivery:
        for message in messages:
            self._producer.produce(
                self._topic,
                message.payload,
                message.envelope.key,
                message.partition,
                on_delivery=delivery.report,
                headers=[*to_headers(message.envelope)],
            )
        return delivery

    def _wait(self, delivery: Delivery) -> None:
        until = time.monotonic() + _WAIT_SECONDS
        while delivery.left and delivery.error is None and (seconds := until - time.monotonic()) > 0:
            self._poll(seconds)

    def _poll(self, seconds: float) -> None:
        try:
            self._producer.poll(seconds)
        except _STOPPED as error:
            raise DeliveryError("the broker refuses a message") from error


def gapless_producer(kafka: KafkaConnection) -> Producer:
    """Return an idempotent producer that stops with the first message that cannot be delivered."""
    return Producer(
        {
            **kafka.client_settings(),
            "client.id": "write-api-relay",
            "enable.idempotence": True,
            "enable.gapless.guarantee": True,
            "acks": "all",
            "message.timeout.ms": 0,
            "linger.ms": 0,  # a backlog makes large requests by itself: only five are in flight at a time
            "allow.auto.create.topics": False,
        },
        logger=_SILENT,
    )
