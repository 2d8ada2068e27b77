"""The accepted commands: read from `cheeper.commands`, so that a client can ask for a command before it is handled.

Only the headers of a message are read, never the value, which may hold what no read store may: an e-mail address. A
record is written before its offset is stored, and writing it again changes nothing, so at least once is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from itertools import chain
from threading import Event as Flag
from typing import cast
from uuid import UUID

import structlog
from confluent_kafka import KafkaException, Message

from cheeper_contracts.kafka.envelope import Envelope, MalformedEnvelopeError, from_headers
from cheeper_contracts.views import AcceptedCommand
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import AbandonedError, RetryLoop
from projector.kafka.assignment import BEGINNING, PATIENCE, Assignment
from projector.kafka.topic import error_words
from projector.messages.decoding import headers_of
from projector.stores.base import AcceptedCommands, StoreUnavailableError

log = structlog.get_logger()

PART = "commands"
_COMMITTED_SECONDS = 5.0


class AcceptedCommandsConsumer:
    """Records what is on `cheeper.commands`, from the offsets of its consumer group on."""

    def __init__(self, *, accepted: AcceptedCommands, commands: Assignment, readiness: Readiness, stop: Flag) -> None:
        self._accepted = accepted
        self._assignment = commands
        self._readiness = readiness
        self._stop = stop
        self._error: str | None = None
        self._retry = RetryLoop(readiness, accepted.name, StoreUnavailableError, sleep=commands.idle, longest=2.0)
        readiness.expect(accepted.name, "kafka")

    def run(self) -> None:
        """Consume until stopped. Raise whatever is a defect."""
        try:
            with suppress(AbandonedError):
                self._retry.run(self._accepted.prepare, lambda: not self._stop.is_set())
            while not self._stop.is_set():
                self._assignment.poll_topic()
                self._readiness.report("kafka", self._error or self._assignment.error)
                self._start_paused()
                if polled := self._assignment.poll(PATIENCE):
                    self._record(polled)
        finally:
            self._assignment.close()
            self._accepted.close()

    def _record(self, polled: Mapping[int, Sequence[Message]]) -> None:
        messages = chain.from_iterable(polled.values())
        records = [record for message in messages if (record := record_of(message)) is not None]
        with suppress(AbandonedError):
            self._retry.run(lambda: self._accepted.record(records), lambda: self._wanted(polled.keys()))
            for partition, of_partition in polled.items():
                self._assignment.store_offset(partition, cast("int", of_partition[-1].offset()))

    def _start_paused(self) -> None:
        if not self._assignment.paused or self._assignment.topic.topic_id is None:
            return
        try:
            offsets = self._assignment.committed(sorted(self._assignment.paused), _COMMITTED_SECONDS)
        except KafkaException as error:
            self._error = f"does not say where to read: {error_words(error.args[0])}"
            return
        self._error = None
        self._assignment.read_from(offsets | dict.fromkeys(self._assignment.out_of_range, BEGINNING))

    def _wanted(self, partitions: AbstractSet[int]) -> bool:
        return partitions <= self._assignment.assigned and not self._stop.is_set()


def record_of(message: Message) -> AcceptedCommand | None:
    """Return the record of an accepted command, or None if its headers are malformed: then the worker parks it."""
    try:
        envelope = _envelope(message)
    except MalformedEnvelopeError as error:
        log.warning(
            "skipped: no command", partition=message.partition(), offset=message.offset(), reason=str(error), store=PART
        )
        return None
    log.debug("accepted", message_id=envelope.message_id, type=envelope.type, key=envelope.key, store=PART)
    return AcceptedCommand(
        message_id=envelope.message_id,
        key=envelope.key,
        type=envelope.type,
        at=envelope.time,
        actor=envelope.actor,
    )


def _envelope(message: Message) -> Envelope:
    envelope = from_headers(headers_of(message))
    try:
        canonical = str(UUID(envelope.message_id))
    except ValueError:
        canonical = ""
    if envelope.message_id != canonical:
        raise MalformedEnvelopeError("the header ce_id is no UUID in lower case")
    return envelope
