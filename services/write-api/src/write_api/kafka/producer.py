"""The producer of commands for asyncio: `send` returns once the broker has the message.

confluent_kafka's own AIOProducer cannot send headers (2.16), so this is the plain Producer with one thread that
serves its delivery reports.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from cheeper_contracts import codec, topics
from cheeper_contracts.envelope import Envelope, to_headers
from cheeper_contracts.messages import Command
from write_api.kafka.topics import error_words
from write_api.ops.recent_failure import Trouble

DELIVERY_SECONDS: Final = 5.0
AWAY_SECONDS: Final = 1.0
"""For a send while no broker is connected: time to connect to one that is there, and else to say soon that none is."""
MOST_WAITING: Final = 10_000
MOST_WAITING_KBYTES: Final = 32_768
_LATE_SECONDS: Final = 1.0
"""For librdkafka to say that the time of a delivery is over."""
_POLL_SECONDS: Final = 0.1

_NO_FAULT_OF_THE_PRODUCER: Final = {
    KafkaError._PURGE_QUEUE,  # noqa: SLF001 - its public name
    KafkaError._PURGE_INFLIGHT,  # noqa: SLF001 - as above
    KafkaError.MSG_SIZE_TOO_LARGE,
}

log = structlog.get_logger()


class BrokerUnavailableError(Exception):
    """The broker did not confirm a message in time: whether it has it is unknown. Sending it again is safe."""


class MessageTooLargeError(Exception):
    """The broker takes no message of this size, now or ever: the topic's limit is too small for our commands. The text
    names the topic.
    """


class CommandProducer:
    """Sends commands to `cheeper.commands`, each to the partition of its key, in the order of the calls. `trouble` is
    told whether the broker takes them.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic_prefix: str = "",
        delivery_seconds: float = DELIVERY_SECONDS,
        client_id: str = "write-api-http",
        trouble: Trouble | None = None,
    ) -> None:
        self._trouble = trouble or Trouble()
        self._delivery_seconds = delivery_seconds
        self._topic = topics.COMMANDS.named(topic_prefix)
        self._config: dict[str, Any] = {
            "bootstrap.servers": bootstrap_servers,
            "client.id": client_id,
            "enable.idempotence": True,
            "linger.ms": 0.5,
            # What waits for a broker that is slow or away is bounded; whoever comes beyond it is told so at once.
            "queue.buffering.max.messages": MOST_WAITING,
            "queue.buffering.max.kbytes": MOST_WAITING_KBYTES,
            # A broker that finds a batch too large refuses all commands in it: a low limit is to meet large ones alone.
            "batch.size": 65_536,
            "delivery.timeout.ms": int(delivery_seconds * 1000),
            "allow.auto.create.topics": False,
            "log_level": 2,
            "error_cb": self._note,
        }
        self._producer: Producer | None = None
        self._closing = threading.Event()
        self._broken = threading.Event()
        self._away = threading.Event()  # from when the last connection broke until a message is delivered again
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to connect. No broker needs to be there yet."""
        self._producer = Producer(self._config)
        self._thread = threading.Thread(target=self._serve, name="command-producer", daemon=True)
        self._thread.start()

    async def send(self, command: Command, envelope: Envelope) -> None:
        """Send a command, and return when the broker has it. Raises BrokerUnavailableError and MessageTooLargeError."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        try:
            self._current().produce(
                self._topic,
                value=codec.encode(command),
                key=envelope.key,
                partition=topics.partition_of(envelope.key),
                headers=[*to_headers(envelope)],
                on_delivery=partial(self._report, loop, done),
            )
        except (BufferError, KafkaException) as error:
            raise self._failure(error.args[0]) from error
        # A command that was handed to a producer in the moment that another took its place is never reported on.
        patience = AWAY_SECONDS if self._away.is_set() else self._delivery_seconds + _LATE_SECONDS
        try:
            await asyncio.wait_for(done, patience)
        except TimeoutError as error:
            raise BrokerUnavailableError("no broker confirmed it in time") from error

    async def close(self) -> None:
        """Wait for what is on its way, at most the time that a delivery may take, and stop."""
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
            except KafkaException as error:  # which a fatal error may be told by, too; this thread must go on
                self._begin_anew(error.args[0])
            if self._broken.is_set():
                self._broken.clear()
                self._producer = Producer(self._config)
                producer.purge()
                with suppress(KafkaException):
                    producer.flush(_POLL_SECONDS)  # reports what it had as failed

    def _note(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - its public name
            self._away.set()
        # After a fatal error, such as a broker that forgot this producer, a producer never sends again.
        if error.fatal():
            self._begin_anew(error)

    def _begin_anew(self, error: KafkaError) -> None:
        if not self._broken.is_set():
            log.warning("the command producer begins anew", why=error.str())
            self._broken.set()

    def _report(
        self,
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[None],
        error: KafkaError | None,
        _message: Message,
    ) -> None:
        # Tansu, once wiped, refuses a producer that it does not know with errors that are not fatal, for ever. A new
        # producer costs little, so any failure asks for one; what a purge gives up was asked for already.
        if error is not None and error.code() not in _NO_FAULT_OF_THE_PRODUCER:
            self._begin_anew(error)
            self._trouble.met(error_words(error))
        if error is None:
            self._away.clear()
            self._trouble.over()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, done, None if error is None else self._failure(error))

    def _failure(self, error: object) -> Exception:
        if isinstance(error, KafkaError) and error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return MessageTooLargeError(f"the topic {self._topic} takes no message of this size")
        return BrokerUnavailableError(str(error))


def _settle(done: asyncio.Future[None], failure: Exception | None) -> None:
    if done.done():  # whoever awaited it has gone
        return
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)
