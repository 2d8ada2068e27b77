"""A world in memory: the write model, the topics and the two stores, as the readers of a request show them."""

import msgspec
import pytest

from cheeper_audit.stores import StoreUnavailableError
from cheeper_contracts.catalogue import command_type_of
from cheeper_contracts.ids import made_for
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.kafka.topics import partition_of
from cheeper_contracts.views import CommandRecord
from inspector.failed.messages import StoredMessage
from inspector.trace.evidence import Accepted, FoundMessage, HandledCommand, OutboxRow, Readers, StoreState
from inspector.trace.model import Place, Row, View
from inspector.trace.tracer import Tracer

NOW = 1_795_000_000_000_000
SECOND = 1_000_000


def id_at(microseconds, number=0):
    """An id of version 7 with that time."""
    digits = f"{microseconds // 1_000:012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-{number:012x}"


class Unavailable:
    """A server that does not respond."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, _name):
        def fail(*_arguments):
            raise StoreUnavailableError(f"{self._name} cannot be reached.")

        return fail


class Failures:
    """The failed messages of a server."""

    failures = ()

    def failed(self, most):
        return tuple(self.failures[:most])

    def number_failed(self):
        return len(self.failures)


class WriteModel(Failures):
    def __init__(self):
        self.commands, self.outbox, self.letters, self.authors, self.cheeps = {}, {}, {}, {}, {}

    def handled(self, message_ids):
        return {each: self.commands[each] for each in message_ids if each in self.commands}

    def outbox_row(self, command):
        return self.outbox.get(command.message_id)

    def rows(self, refs):
        return tuple(Row(ref.table, " ".join(ref.identifier), {"id": ref.identifier[0]}) for ref in refs)

    def dead_letters(self, key):
        return tuple(self.letters.get(key, ()))

    def author_named(self, username):
        return next((each for each, name in self.authors.items() if name == username), None)

    def has_author(self, author_id):
        return author_id in self.authors

    def newest_cheeps(self, author_id, most):
        mine = [cheep_id for cheep_id, (owner, _) in self.cheeps.items() if owner == author_id]
        return tuple(sorted(mine, key=lambda each: self.cheeps[each][1][0], reverse=True)[:most])

    def cheep_times(self, cheep_id):
        return self.cheeps.get(cheep_id)


class Topics:
    def __init__(self):
        self.logs = {(name, partition): [] for name in ("commands", "events") for partition in range(8)}

    def append(self, name, envelope, value, at):
        log = self.logs[name, partition_of(envelope.key)]
        place = Place(f"cheeper.{name}", partition_of(envelope.key), len(log), at)
        log.append(FoundMessage(envelope, value, place))

    def find(self, topic, partition, at, wanted):
        near = [each for each in self.logs[topic, partition] if each.envelope.time >= at - 2 * SECOND]
        return tuple(filter(wanted, near))

    def newest(self, topic, partition, wanted):
        return tuple(filter(wanted, self.logs[topic, partition][-500:]))


class Store(Failures):
    def __init__(self):
        self.sequences, self.letters, self.records, self.known, self.work, self.followed = {}, {}, {}, {}, {}, {}

    def state(self, partition):
        return StoreState(1, self.sequences.get(partition, 0))

    def parked(self, key):
        return tuple(self.letters.get(key, ()))

    def record(self, message_id):
        return self.records.get(message_id)

    def accepted(self, message_id):
        return self.known.get(message_id)

    def tasks(self, author_id):
        return self.work.get(author_id, 0)

    def followers(self, author_id):
        return tuple(self.followed.get(author_id, ()))

    def shown(self, refs):
        return tuple(View(f"{_name(ref)}:{ref.identifier}", "", "now") for ref in refs)


class World:
    """The commands that a test has sent, handled, relayed and projected."""

    def __init__(self):
        self.write_model, self.topics, self.redis, self.mongo = WriteModel(), Topics(), Store(), Store()
        self._xid = 100

    def send(self, command, message_id, *, at=NOW, reply_to=None, correlation_id=None, actor=None):
        """Send a command to the topic, as write-api or a process manager does."""
        envelope = Envelope(
            message_id=message_id,
            type=command.TYPE,
            source="/write-api/http",
            time=at,
            key=command.key,
            correlation_id=correlation_id or message_id,
            reply_to=reply_to,
            actor=actor,
        )
        self.topics.append("commands", envelope, codec.encode(command), at + 2_000)
        return envelope

    def accept(self, envelope):
        """Let the projector read the accepted command."""
        self.redis.known[envelope.message_id] = Accepted(envelope.key, envelope.type, envelope.time)

    def handle(self, event, command_id, *, at=NOW + 10_000, outcome=None, correlation_id=None, accepted=True):
        """Commit the transaction of a command, with its event in the outbox. Return the event's envelope."""
        self._xid += 1
        envelope = Envelope(
            message_id=id_at(at, self._xid),
            type=event.TYPE,
            source="/write-api/worker" if accepted else "/write-api/http",
            time=at,
            key=event.key,
            correlation_id=correlation_id or command_id,
            reply_to=command_id,
        )
        self.write_model.commands[command_id] = HandledCommand(
            message_id=command_id,
            key=event.key,
            at=at,
            accepted=accepted,
            outcome=outcome or {"changed": True},
            xid=self._xid,
        )
        self.write_model.outbox[command_id] = OutboxRow(
            envelope=envelope,
            value=codec.encode(event),
            began_at=at - 1_000,
            place=(1, self._xid, self._xid),
            relayed=False,
        )
        return envelope

    def relay(self, command_id, *, at=NOW + 15_000):
        """Send the outbox's row to the topic."""
        row = self.write_model.outbox[command_id]
        self.write_model.outbox[command_id] = msgspec.structs.replace(row, relayed=True)
        sequence = len(self.topics.logs["events", partition_of(row.envelope.key)]) + 1
        envelope = msgspec.structs.replace(row.envelope, sequence=sequence)
        self.topics.append("events", envelope, row.value, at)

    def project(self, command_id):
        """Apply the command's event, and all before it, in both stores."""
        row = self.write_model.outbox[command_id]
        partition = partition_of(row.envelope.key)
        [sequence] = [
            each.envelope.sequence
            for each in self.topics.find("events", partition, 0, lambda _: True)
            if each.envelope.reply_to == command_id
        ]
        event = codec.decode_event(row.envelope.type, row.value)
        record = CommandRecord(
            message_id=command_id,
            key=row.envelope.key,
            partition=partition,
            sequence=sequence,
            type=command_type_of(event),
            status="handled",
            at=row.envelope.time,
            changed=True,
        )
        for store in (self.redis, self.mongo):
            store.sequences[partition] = sequence
            store.records[command_id] = record

    def run(self, command, event, message_id, **envelope):
        """Do all of it for a command that changes something. Return its event's envelope."""
        sent = self.send(command, message_id, **envelope)
        found = self.handle(event, message_id, at=sent.time + 10_000, correlation_id=sent.correlation_id)
        self.relay(message_id, at=sent.time + 15_000)
        self.project(message_id)
        return found

    def failure(self, command):
        """A failed message with a command in it."""
        return StoredMessage(
            id="17",
            topic="cheeper.commands",
            partition=1,
            offset=1,
            key=command.key,
            message_id=id_at(NOW),
            type=command.TYPE,
            behind=False,
            reason="crashed",
            value=codec.encode(command),
        )

    def readers(self, *unavailable):
        """The readers, of which some servers are unavailable."""
        parts = {"postgres": self.write_model, "kafka": self.topics, "redis": self.redis, "mongo": self.mongo}
        return Readers(*(Unavailable(name) if name in unavailable else part for name, part in parts.items()))

    def trace(self, identifier, *unavailable):
        """The trace of an id."""
        return Tracer(self.readers(*unavailable)).trace(identifier)


def _name(ref):
    return ref.pattern.name if hasattr(ref, "pattern") else ref.collection.name


@pytest.fixture
def world():
    return World()


@pytest.fixture
def derived():
    """The id of the command that a process manager makes of an event."""
    return made_for
