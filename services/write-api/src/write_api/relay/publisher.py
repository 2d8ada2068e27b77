"""Sends batches to Kafka, in order and without a gap, and waits until all of one is confirmed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from cheeper_contracts.envelope import to_headers
from write_api.kafka.topics import error_words
from write_api.relay.numbering import Numbered

SLOW_SECONDS: Final = 2.0
"""After so long without an answer, of Kafka or of the database, the relay's readiness tells of it."""
_WAIT_SECONDS: Final = 0.25
_STALLED_SECONDS: Final = 15.0
_KNOWN_SECONDS: Final = 3600.0  # brokers forget a producer that is silent for a day, unless they are told otherwise
_STOPPED: Final = (KafkaException, SystemError)  # of a producer that has; the binding may lose the first on its way
_UNHEARD: Final = logging.getLogger("librdkafka")  # it calls fatal, with hosts, what we tell as a need and mend
_UNHEARD.disabled = True


class DeliveryError(Exception):
    """A message was not confirmed. What came of the others is unknown: only a new producer may send again."""


class Delivery:
    """What has been confirmed of a batch: the offsets of each partition, in the order of its messages, and how many
    messages are left.
    """

    def __init__(self, count: int, offsets: Mapping[int, list[int]] | None = None) -> None:
        self.left = count
        self.offsets = dict(offsets or {})
        self.error: KafkaError | None = None

    def report(self, error: KafkaError | None, message: Message) -> None:
        """Take what became of a message. Reports of a partition come in its order."""
        self.left -= 1
        if error is not None:
            self.error = self.error or error
        else:
            self.offsets.setdefault(message.partition() or 0, []).append(message.offset() or 0)


class Publisher:
    """A producer that is thrown away with the first failure, since what it has on its way is then uncertain.

    The messages themselves have no time-out: one that librdkafka gave up would leave a gap before those behind it. One
    that the broker refuses would, too, so the producer stops with it, and the broker takes nothing that is on its way
    behind it. That a broker does only where it knows the producer: in a partition where it has taken nothing of it, it
    takes any sequence. So a producer's first message to each partition goes alone.
    """

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._topic = topic
        self._known: dict[int, float] = {}  # by partition, when the broker last confirmed something
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "client.id": "write-api-relay",
                "enable.idempotence": True,
                "enable.gapless.guarantee": True,
                "acks": "all",
                "message.timeout.ms": 0,
                "linger.ms": 0,  # a backlog makes large requests by itself: only five are on their way at a time
                "allow.auto.create.topics": False,
            },
            logger=_UNHEARD,
        )

    async def send(
        self, messages: Sequence[Numbered], stop: asyncio.Event, slow: Callable[[], None]
    ) -> Delivery | None:
        """Send the messages, in this order within a partition, behind those that were sent before. Waits, as
        `confirmed`, for the first ones to partitions where the broker does not know this producer, and else not.

        None where `stop` came meanwhile. Raises DeliveryError, and KafkaException once the producer has stopped.
        """
        firsts: dict[int, Numbered] = {}
        others = []
        for message in messages:
            if message.partition in firsts or self._is_known_in(message.partition):
                others.append(message)
            else:
                firsts[message.partition] = message
        offsets = await self.confirmed(self._produce(firsts.values(), Delivery(len(firsts))), stop, slow)
        return None if offsets is None else self._produce(others, Delivery(len(others), offsets))

    async def confirmed(
        self, delivery: Delivery, stop: asyncio.Event, slow: Callable[[], None]
    ) -> dict[int, list[int]] | None:
        """The offsets of each partition, once the broker has confirmed all of it; none where `stop` came first.

        `slow` is called when the broker takes long. Raises DeliveryError.
        """
        self._poll(0)  # here: reports that another thread took in beside this one would wait for it each
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
                raise DeliveryError(f"no confirmation within {_STALLED_SECONDS:g} s")
        if delivery.error is not None:
            raise DeliveryError(error_words(delivery.error))
        self._known |= dict.fromkeys(delivery.offsets, time.monotonic())
        return delivery.offsets

    async def close(self) -> None:
        """Drop the producer with whatever it still has; the next one sends that again."""
        self._producer.purge()
        with suppress(*_STOPPED):
            await asyncio.to_thread(self._producer.flush, _WAIT_SECONDS)

    def _is_known_in(self, partition: int) -> bool:
        return time.monotonic() - self._known.get(partition, -_KNOWN_SECONDS) < _KNOWN_SECONDS

    def _produce(self, messages: Iterable[Numbered], delivery: Delivery) -> Delivery:
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
