"""Which commands the broker has: read from `cheeper.commands`, for whoever asks before they are handled.

Of a message only the headers are read, never the value, which may hold what no read store may: an e-mail address. A
record is written before Kafka forgets its message, and writing it again changes nothing, so at least once is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from threading import Event as Flag
from typing import Protocol, cast
from uuid import UUID

import structlog
from confluent_kafka import KafkaException, Message

from cheeper_contracts.envelope import Envelope, MalformedEnvelopeError, from_headers
from cheeper_contracts.views import AcceptedCommand
from projector.consumer.decoding import headers_of
from projector.kafka.assignment import BEGINNING, PATIENCE, TopicLog
from projector.kafka.topic import error_words
from projector.ops.health import Health
from projector.ops.retry import Abandoned, Persistence

log = structlog.get_logger()

PART = "commands"
_ASKING_SECONDS = 5.0


class AcceptedCommands(Protocol):
    """Where it is kept that a command was accepted. Raises StoreUnavailableError while it is away."""

    @property
    def name(self) -> str:
        """Which store it is."""

    def prepare(self) -> None:
        """Whether it answers."""

    def record(self, accepted: Sequence[AcceptedCommand]) -> None:
        """Notes each command that is not noted yet; those that would have expired by now are left out."""

    def close(self) -> None:
        """Gives its connections back."""


class Acceptance:
    """Notes what is on `cheeper.commands`, from where its consumer group is."""

    def __init__(self, *, accepted: AcceptedCommands, commands: TopicLog, health: Health, stop: Flag) -> None:
        self._accepted = accepted
        self._log = commands
        self._health = health
        self._stop = stop
        self._why_not: str | None = None
        self._persistence = Persistence(health, accepted.name, commands.idle, PART)
        for need in (accepted.name, "kafka"):
            health.expect(need, PART)

    def run(self) -> None:
        """Reads until stopped. Raises what is a defect."""
        try:
            with suppress(Abandoned):
                self._persistence.of(self._accepted.prepare, lambda: not self._stop.is_set())
            while not self._stop.is_set():
                self._look_around()
                self._place_held()
                for partition, messages in self._log.read(PATIENCE).items():
                    self._take(partition, messages)
        finally:
            self._log.close()
            self._accepted.close()

    def _take(self, partition: int, messages: Sequence[Message]) -> None:
        records = [record for message in messages if (record := record_of(message)) is not None]
        with suppress(Abandoned):
            self._persistence.of(lambda: self._accepted.record(records), lambda: self._wanted(partition))
            self._log.store_offset(partition, cast("int", messages[-1].offset()))

    def _look_around(self) -> None:
        self._log.look()
        self._health.say("kafka", self._why_not or self._log.why_not, PART)

    def _place_held(self) -> None:
        if not self._log.held or self._log.watch.topic_id is None:
            return
        try:
            places = self._log.committed(sorted(self._log.held), _ASKING_SECONDS)
        except KafkaException as error:
            self._why_not = f"does not say where to read: {error_words(error.args[0])}"
            return
        self._why_not = None
        self._log.place(places | dict.fromkeys(self._log.out_of_range, BEGINNING))

    def _wanted(self, partition: int) -> bool:
        return partition in self._log.owned and not self._stop.is_set()


def record_of(message: Message) -> AcceptedCommand | None:
    """The record of an accepted command; none where the headers are none, which is the worker's to park."""
    try:
        envelope = _envelope(message)
    except MalformedEnvelopeError as error:
        log.warning(
            "skipped: no command", partition=message.partition(), offset=message.offset(), why=str(error), store=PART
        )
        return None
    log.info("accepted", message_id=envelope.message_id, type=envelope.type, key=envelope.key, store=PART)
    return AcceptedCommand(message_id=envelope.message_id, key=envelope.key, type=envelope.type, at=envelope.time)


def _envelope(message: Message) -> Envelope:
    envelope = from_headers(headers_of(message))
    try:
        canonical = str(UUID(envelope.message_id))
    except ValueError:
        canonical = ""
    if envelope.message_id != canonical:
        raise MalformedEnvelopeError("the header ce_id is no UUID in lower case")
    return envelope
