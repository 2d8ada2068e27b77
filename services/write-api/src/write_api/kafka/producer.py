"""The producer of commands for asyncio: `send` returns once the broker has the message.

confluent_kafka's own AIOProducer cannot send headers (2.16), so this is the plain Producer with one thread that serves
its delivery reports.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_contracts.messages import Command
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.errors import CommandTooLargeError, UnavailableError
from write_api.kafka.errors import ALL_BROKERS_DOWN, PURGED, error_text
from write_api.ops.recent_failure import RecentFailure

DELIVERY_SECONDS: Final = 5.0
UNAVAILABLE_SECONDS: Final = 1.0
"""The time-out of a send while no broker is connected: enough to connect to one that has come back."""
MAX_QUEUED_MESSAGES: Final = 10_000
MAX_QUEUED_KBYTES: Final = 32_768
_REPORT_SECONDS: Final = 1.0
"""The maximum delay of librdkafka in reporting that the time of a delivery is over."""
_POLL_SECONDS: Final = 0.1

_NOT_THE_PRODUCERS_FAULT: Final = {*PURGED, KafkaError.MSG_SIZE_TOO_LARGE}

log = structlog.get_logger()


class BrokerUnavailableError(UnavailableError):
    """The broker did not acknowledge a message in time: it may or may not have it. Sending it again is safe."""


class MessageTooLargeError(CommandTooLargeError):
    """The topic's size limit is too small for this message, now and later. The text names the topic."""


class CommandProducer:
    """Sends commands to `cheeper.commands`, each to the partition of its key, in the order of the calls.

    `recent_failure` records whether the broker accepts them.
    """

    def __init__(
        self,
        kafka: KafkaConnection,
        topic_prefix: str = "",
        delivery_seconds: float = DELIVERY_SECONDS,
        client_id: str = "write-api-http",
        recent_failure: RecentFailure | None = None,
    ) -> None:
        self._recent_failure = recent_failure or RecentFailure()
        self._delivery_seconds = delivery_seconds
        self._topic = topics.COMMANDS.named(topic_prefix)
        self._config: dict[str, Any] = {
            **kafka.client_settings(),
            "client.id": client_id,
            "enable.idempotence": True,
            "linger.ms": 0.5,
            # The queue for a slow or unavailable broker is bounded; a send beyond it fails at once.
            "queue.buffering.max.messages": MAX_QUEUED_MESSAGES,
            "queue.buffering.max.kbytes": MAX_QUEUED_KBYTES,
            # A broker that finds a batch too large refuses every command in it: small batches keep the damage small.
            "batch.size": 65_536,
            "delivery.timeout.ms": int(delivery_seconds * 1000),
            "allow.auto.create.topics": False,
            "log_level": 2,
            "error_cb": self._on_error,
        }
        self._producer: Producer | None = None
        self._closing = threading.Event()
        self._broken = threading.Event()
        self._disconnected = threading.Event()  # from the loss of the last connection until the next delivery
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to connect. The broker need not be available yet."""
        self._producer = Producer(self._config)
        self._thread = threading.Thread(target=self._serve, name="command-producer", daemon=True)
        self._thread.start()

    async def send(self, command: Command, envelope: Envelope) -> None:
        """Send a command and wait until the broker has it. Raise BrokerUnavailableError or MessageTooLargeError."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        try:
            self._current().produce(
                self._topic,
                value=codec.encode(command),
                key=envelope.key,
                partition=topics.partition_of(envelope.key),
                headers=[*to_headers(envelope)],
                on_delivery=partial(self._on_delivery, loop, done),
            )
        except BufferError as error:  # its argument is text
            raise BrokerUnavailableError(f"Kafka did not confirm a command: {error}") from error
        except KafkaException as error:
            raise self._send_error(error.args[0]) from error
        # A command that was given to a producer just as another one replaced it never gets a report.
        patience = UNAVAILABLE_SECONDS if self._disconnected.is_set() else self._delivery_seconds + _REPORT_SECONDS
        try:
            await asyncio.wait_for(done, patience)
        except TimeoutError as error:
            raise BrokerUnavailableError("no broker acknowledged it in time") from error

    async def close(self) -> None:
        """Wait for the commands in flight, at most for the time-out of a delivery, and stop."""
        if self._producer is None or self._thread is None:
            return
        with suppress(KafkaException):
            await asyncio.to_thread(self._producer.flush, self._delivery_seconds)
        self._closing.set()
        await asyncio.to_thread(self._thread.join)
        self._producer = None

    def _current(self) -> Producer:
        if self._producer is None:
            raise BrokerUnavailableError("the command producer is not started")
        return self._producer

    def _serve(self) -> None:
        while not self._closing.is_set():
            producer = self._current()
            try:
                producer.poll(_POLL_SECONDS)
            except KafkaException as error:  # which may report a fatal error, too; this thread must go on
                self._replace(error.args[0])
            if self._broken.is_set():
                self._broken.clear()
                self._producer = Producer(self._config)
                producer.purge()
                with suppress(KafkaException):
                    producer.flush(_POLL_SECONDS)  # reports its messages as failed

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == ALL_BROKERS_DOWN:
            self._disconnected.set()
        # After a fatal error, such as a broker that forgot this producer, a producer never sends again.
        if error.fatal():
            self._replace(error)

    def _replace(self, error: KafkaError) -> None:
        if not self._broken.is_set():
            log.warning("replacing the command producer", reason=error.str())
            self._broken.set()

    def _on_delivery(
        self,
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[None],
        error: KafkaError | None,
        _message: Message,
    ) -> None:
        # Tansu, once wiped, refuses an unknown producer with errors that are not fatal, without end. A new producer
        # costs little, so any failure asks for one; a purge is the consequence of such a request.
        if error is not None and error.code() not in _NOT_THE_PRODUCERS_FAULT:
            self._replace(error)
            self._recent_failure.record(error_text(error))
        if error is None:
            self._disconnected.clear()
            self._recent_failure.clear()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, done, None if error is None else self._send_error(error))

    def _send_error(self, error: KafkaError) -> Exception:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return MessageTooLargeError(f"the topic {self._topic} takes no message of this size")
        return BrokerUnavailableError(f"Kafka did not confirm a command: {error_text(error)}")


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():  # the caller has gone
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
