"""The remains of a command: everything that the stores and topics still hold of it, each part found by an index."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cheeper_contracts.ids import milliseconds_of
from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import CommandRecord
from inspector.attempts import Attempts
from inspector.trace.evidence import Accepted, FoundMessage, HandledCommand, OutboxRow, Readers, TopicName, Wanted

_WORKER = "/worker"


class Remains(msgspec.Struct, frozen=True, kw_only=True):
    """The parts, each None if it is gone or never was. `parked` is why the command is parked."""

    message_id: str
    handled: HandledCommand | None = None
    record: CommandRecord | None = None
    accepted: Accepted | None = None
    message: FoundMessage | None = None
    row: OutboxRow | None = None
    event: FoundMessage | None = None
    parked: str | None = None

    @property
    def is_empty(self) -> bool:
        """True if nothing is known of the command."""
        return not any((self.handled, self.record, self.accepted, self.message, self.event))

    @property
    def key(self) -> str | None:
        """The command's key."""
        return next((part.key for part in (self.handled, self.record, self.accepted) if part is not None), None) or (
            self.message.envelope.key if self.message else None
        )

    @property
    def event_envelope(self) -> Envelope | None:
        """The envelope of the event: that of Kafka, which has the sequence, else that of the outbox."""
        return self.event.envelope if self.event else self.row.envelope if self.row else None

    @property
    def event_value(self) -> bytes | None:
        """The bytes of the event."""
        return self.event.value if self.event else self.row.value if self.row else None

    @property
    def correlation_id(self) -> str | None:
        """The id of the command that began it all."""
        for envelope in (self.event_envelope, self.message.envelope if self.message else None):
            if envelope is not None:
                return envelope.correlation_id
        return None

    @property
    def went_over_kafka(self) -> bool | None:
        """True if the command was sent to the topic, and None if that cannot be known."""
        if self.message is not None or self.accepted is not None:
            return True
        if self.event_envelope is not None:
            return self.event_envelope.source.endswith(_WORKER)
        return None if self.handled is None else self.handled.accepted


class Collector:
    """Collects what remains of commands, once for each."""

    def __init__(self, readers: Readers, attempts: Attempts) -> None:
        self._readers = readers
        self._attempts = attempts
        self._known: dict[str, Remains] = {}

    def of(self, message_id: str) -> Remains:
        """Return what remains of a command."""
        if message_id not in self._known:
            self._known[message_id] = self._collect(message_id)
        return self._known[message_id]

    def find(self, topic: TopicName, partition: int, at: int, wanted: Wanted) -> tuple[FoundMessage, ...]:
        """Return the messages of about that time that are wanted."""
        return self._attempts.read("kafka", lambda: self._readers.topics.find(topic, partition, at, wanted), ())

    def find_by_id(self, topic: TopicName, message_id: str) -> FoundMessage | None:
        """Return the message with that id, of a key that is not known, if the id contains its time."""
        at = milliseconds_of(message_id)
        if at is None:
            return None
        for partition in range(PARTITIONS):
            for found in self.find(topic, partition, at * 1_000, lambda each: each.envelope.message_id == message_id):
                return found
        return None

    def _collect(self, message_id: str) -> Remains:
        read, readers = self._attempts.read, self._readers
        handled = read("postgres", lambda: readers.write_model.handled([message_id]).get(message_id), None)
        row = None
        if handled is not None and handled.xid is not None:
            row = read("postgres", lambda: readers.write_model.outbox_row(handled), None)
        record = read("redis", lambda: readers.redis.record(message_id), None)
        if record is None:
            record = read("mongo", lambda: readers.mongo.record(message_id), None)
        accepted = read("redis", lambda: readers.redis.accepted(message_id), None)
        found = Remains(message_id=message_id, handled=handled, row=row, record=record, accepted=accepted)
        found = msgspec.structs.replace(found, event=self._event(found))
        if found.went_over_kafka is not False:
            found = msgspec.structs.replace(found, message=self._message(found))
        return msgspec.structs.replace(found, parked=self._parked(found))

    def _event(self, known: Remains) -> FoundMessage | None:
        """Return the event in Kafka: where the outbox's row, or else the record, says that it is."""
        if known.row is not None:
            envelope = known.row.envelope
            key, at = envelope.key, envelope.time
        elif known.record is not None:
            key, at = known.record.key, known.record.at
        elif known.handled is not None and known.handled.outcome is not None:
            key, at = known.handled.key, known.handled.at
        else:
            return None
        found = self.find(
            "events", topics.partition_of(key), at, lambda each: each.envelope.reply_to == known.message_id
        )
        return found[0] if found else None

    def _message(self, known: Remains) -> FoundMessage | None:
        """Return the command in Kafka, which was there before everything else."""
        times = list(_times(known))
        if known.key is None or not times:
            return self.find_by_id("commands", known.message_id)
        partition = topics.partition_of(known.key)
        found = self.find("commands", partition, min(times), lambda each: each.envelope.message_id == known.message_id)
        return found[0] if found else None

    def _parked(self, known: Remains) -> str | None:
        key = known.key
        if key is None or (known.handled is not None and known.handled.outcome is not None):
            return None
        letters = self._attempts.read("postgres", lambda: self._readers.write_model.dead_letters(key), ())
        return next((letter.error for letter in letters if letter.message_id == known.message_id), None)


def _times(known: Remains) -> Iterator[int]:
    """Yield times that are not before the command was sent, or not long before."""
    milliseconds = milliseconds_of(known.message_id)
    if milliseconds is not None:
        yield milliseconds * 1_000
    for part in (known.handled, known.accepted, known.record):
        if part is not None:
            yield part.at
