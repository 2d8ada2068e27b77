"""Fakes of the relay's servers that behave like the real ones, in memory and without time of their own."""

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from functools import partial

import msgspec
import psycopg
import pytest
from confluent_kafka import KafkaError, KafkaException
from prometheus_client import CollectorRegistry

from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import Envelope, from_headers
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import Backoff
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.ids import new_id
from write_api.kafka.topics import TopicMismatchError
from write_api.ops.metrics import RelayMetrics
from write_api.relay import epoch, loop
from write_api.relay.kafka import publisher
from write_api.relay.kafka.event_log import EventLog
from write_api.relay.kafka.log_tail import LoggedMessage
from write_api.relay.kafka.publisher import Publisher
from write_api.relay.numbering import START, LastSent, Position, Row
from write_api.relay.postgres.cursor import Cursor, CursorStore, DatabaseIdentity, LockLostError


class FakeDatabase:
    """A Postgres with an outbox, transactions in flight, the relay's cursor and its lock."""

    def __init__(self):
        self.identity = DatabaseIdentity(1, 1)
        self.rows = []
        self.cursor = None
        self.current_epoch = 1
        self.dropped = []
        self.available = True
        self.hint = asyncio.Event()
        self.on_move = lambda: None
        self._sessions = set()
        self._locked_by = None
        self._next_xid, self._next_id = 700, 1
        self._in_flight = {}

    def begin(self):
        """Return the xid of a new transaction."""
        self._next_xid += 1
        self._in_flight[self._next_xid] = []
        return self._next_xid

    def insert(self, xid, key, type_="cheeper.test.v1"):
        """Insert a row within a transaction, and return its message id."""
        message_id, position = new_id(), Position(self.current_epoch, xid, self._next_id)
        self._next_id += 1
        envelope = Envelope(message_id=message_id, type=type_, source="/t", time=1, key=key, correlation_id=message_id)
        self._in_flight[xid].append(Row(position, envelope, b"{}"))
        return message_id

    def commit(self, xid):
        self.rows = sorted([*self.rows, *self._in_flight.pop(xid)], key=lambda row: astuple(row.position))
        self.hint.set()

    def write(self, *keys, type_="cheeper.test.v1"):
        """Commit a transaction with a row for each key, and return their message ids."""
        xid = self.begin()
        ids = [self.insert(xid, key, type_) for key in keys]
        self.commit(xid)
        return ids

    def snapshot(self):
        """Return what a standby has received by now, without the transactions in flight."""
        return list(self.rows), self.cursor, self.current_epoch, self._next_xid, self._next_id

    def restore(self, snapshot, *, timelines=1):
        """Continue with what a snapshot has, on a newer timeline unless `timelines` is 0."""
        self.disconnect()
        rows, self.cursor, self.current_epoch, self._next_xid, self._next_id = snapshot
        self.rows, self._in_flight = list(rows), {}
        known = self.identity
        self.identity = DatabaseIdentity(known.system_identifier, known.timeline_id + timelines)

    def disconnect(self):
        """Break every connection, and with it the lock."""
        self._sessions.clear()
        self._locked_by = None
        self.hint.set()

    @asynccontextmanager
    async def connect(self):
        if not self.available:
            raise psycopg.OperationalError("connection refused")
        session = object()
        self._sessions.add(session)
        try:
            yield FakeCursorStore(self, session)
        finally:
            self._sessions.discard(session)
            if self._locked_by is session:
                self._locked_by = None

    def check(self, session):
        if session not in self._sessions or not self.available:
            raise psycopg.OperationalError("the connection is closed")

    def lock(self, session):
        self._locked_by = self._locked_by or session
        return self._locked_by is session

    def readable(self, position, limit):
        horizon = (self.current_epoch, min(self._in_flight, default=self._next_xid + 1))
        rows = [row for row in self.rows if astuple(row.position) > astuple(position)]
        return [row for row in rows if (row.position.epoch, row.position.xid) < horizon][:limit]


class FakeCursorStore(CursorStore):
    """The relay's connection to a FakeDatabase. Every method fails once the connection is broken."""

    def __init__(self, database, session):
        self._database, self._session = database, session

    async def _use(self):
        await asyncio.sleep(0)
        self._database.check(self._session)

    async def lock(self):
        await self._use()
        return self._database.lock(self._session)

    async def identity(self):
        await self._use()
        return self._database.identity

    async def load(self):
        await self._use()
        return self._database.cursor

    async def begin(self, identity, topic_id):
        await self._use()
        sent = {
            p: LastSent(topic_id=topic_id, last_offset=-1, last_sequence=0) for p in range(topics.EVENTS.partitions)
        }
        self._database.cursor = Cursor(position=START, first=None, identity=identity, current_epoch=1, sent=sent)

    async def read(self, cursor, limit):
        await self._use()
        return self._database.readable(cursor.position, limit)

    async def move(self, cursor, last, first, sent):
        self._database.on_move()
        after = msgspec.structs.replace(
            cursor, position=last.position, first=cursor.first or first.position, sent={**cursor.sent, **sent}
        )
        return await self._swap(cursor, after)

    async def rewind(self, cursor, topic_id, high_water_marks):
        sent = {
            p: LastSent(topic_id=topic_id, last_offset=mark - 1, last_sequence=0)
            for p, mark in high_water_marks.items()
        }
        await self._swap(cursor, msgspec.structs.replace(cursor, position=START, sent=sent))

    async def accept(self, cursor, identity):
        await self._swap(cursor, msgspec.structs.replace(self._database.cursor, identity=identity))

    async def raise_epoch(self, identity):
        await self._use()
        cursor = self._database.cursor
        self._database.current_epoch = epoch = cursor.current_epoch + 1
        self._database.cursor = msgspec.structs.replace(cursor, identity=identity, current_epoch=epoch)
        return epoch

    async def create_partitions(self):
        await self._use()

    async def drop_partitions(self, cursor, days):
        await self._use()
        self._database.dropped.append(days)
        return cursor, 0

    async def wait(self, seconds):
        await self._use()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._database.hint.wait(), seconds)
        self._database.hint.clear()

    async def _first(self):
        await self._use()
        return self._database.rows[0].position if self._database.rows else None

    async def adopt(self, cursor, last, sent):
        return await self._swap(cursor, msgspec.structs.replace(cursor, position=last, sent={**cursor.sent, **sent}))

    async def _swap(self, before, after):
        await self._use()
        if self._database.cursor.position != before.position:
            raise LockLostError
        self._database.cursor = after
        return after


class FakeBroker:
    """A topic of events with its producers. While it is not `acknowledging`, it stores nothing."""

    def __init__(self):
        self.changed = threading.Condition()
        self.available = True
        self.acknowledging = True
        self.mismatch = False
        self.topic_id = None
        self.refused = set()
        self.repeats_have_offsets = True
        self.log = {}
        self.truncated = {}
        self._made = 0

    def create(self):
        if self.topic_id is None:
            self._made += 1
            self.topic_id, self.log = f"topic-{self._made}", {p: [] for p in range(topics.EVENTS.partitions)}
            self.truncated = dict.fromkeys(self.log, 0)

    def wipe(self):
        with self.changed:
            self.topic_id, self.log = None, {}

    def acknowledge(self):
        """Acknowledge what was sent, and everything from now on."""
        with self.changed:
            self.acknowledging = True
            self.changed.notify_all()

    def check(self):
        if not self.available:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        if self.mismatch:
            raise TopicMismatchError("the topic has 3 partitions and not 8")

    def sequences(self):
        """Return the message id of each (partition, sequence), and check that repeats are the same, without a gap."""
        messages = {}
        for partition, log in self.log.items():
            there = {}
            for envelope in log[self.truncated[partition] :]:
                assert there.setdefault(envelope.sequence, envelope.message_id) == envelope.message_id
                assert envelope.sequence <= len(there), f"a gap before {envelope.sequence}"
            messages |= {(partition, sequence): message_id for sequence, message_id in there.items()}
        return messages

    def ids(self):
        """Return the message ids without repeats, in the order of their sequences within each partition."""
        return [message_id for _, message_id in sorted(self.sequences().items())]


class FakeEventLog(EventLog):
    """The relay's view of a FakeBroker's topic."""

    def __init__(self, broker):
        super().__init__(KafkaConnection("fake"), "")
        self._broker = broker

    def create_missing(self):
        self._broker.check()
        self._broker.create()

    def recreate(self):
        self._broker.wipe()
        self._broker.create()

    def topic_id(self):
        self._broker.check()
        return self._broker.topic_id

    def high_water_marks(self):
        self._broker.check()
        if self._broker.topic_id is None:
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
        return {partition: len(log) for partition, log in self._broker.log.items()}

    def tail(self, sent, *, thorough):
        del thorough  # this broker's high-water marks are right
        self.high_water_marks()
        return FakeTail(self._broker, {p: state.last_offset + 1 for p, state in sent.items()})

    def truncate(self):
        self._broker.truncated = self.high_water_marks()
        return self._broker.truncated

    def _holds(self, partition, offset):
        return offset < len(self._broker.log[partition])


class FakeTail:
    """The messages of a FakeBroker's topic from these offsets on, a few at a time."""

    def __init__(self, broker, offsets):
        self._left = [
            LoggedMessage(partition, offset, envelope.sequence, envelope.message_id)
            for partition, start in offsets.items()
            for offset, envelope in enumerate(broker.log[partition])
            if offset >= max(start, broker.truncated[partition])
        ]

    def read(self):
        found, self._left = self._left[:3], self._left[3:]
        return found

    def close(self):
        pass


class FakeMessage:
    """The message of a delivery report."""

    def __init__(self, partition, offset):
        self._partition, self._offset = partition, offset

    def partition(self):
        return self._partition

    def offset(self):
        return self._offset


class FakeProducer:
    """A producer of a FakeBroker that acknowledges in order, and stops with the first message that is refused."""

    def __init__(self, broker):
        self.broker, self.sent, self.purged = broker, [], False
        self.max_in_flight = 0
        self._queue, self._stopped = [], False

    @property
    def in_flight(self):
        return len(self._queue)

    def produce(self, _topic, _value, _key, partition, *, on_delivery, headers):
        if self._stopped:
            raise KafkaException(KafkaError(KafkaError._FATAL))
        envelope = from_headers(headers)
        self.sent.append(envelope.sequence)
        self._queue.append((partition, envelope, on_delivery))
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def poll(self, seconds):
        with self.broker.changed:
            if not (self.broker.available and self.broker.acknowledging and self._queue):
                self.broker.changed.wait(seconds)
            if self.broker.available and self.broker.acknowledging:
                queue, self._queue = self._queue, []
                for partition, envelope, on_delivery in queue:
                    self._deliver(partition, envelope, on_delivery)

    def purge(self):
        self.purged, self._queue = True, []

    def flush(self, _seconds):
        return 0

    def _deliver(self, partition, envelope, on_delivery):
        log = self.broker.log.get(partition)
        if self._stopped or log is None or envelope.message_id in self.broker.refused:
            self._stopped = True
            on_delivery(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), FakeMessage(partition, None))
        else:
            log.append(envelope)
            offset = len(log) - 1 if self.broker.repeats_have_offsets else -1001
            self.broker.repeats_have_offsets = True
            on_delivery(None, FakeMessage(partition, offset))


def nothing_sent(topic_id, high_water_marks):
    return {
        partition: LastSent(topic_id=topic_id, last_offset=mark - 1, last_sequence=0)
        for partition, mark in high_water_marks.items()
    }


def astuple(position):
    return msgspec.structs.astuple(position)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Shorten every pause of the relay."""
    for name in ("_STANDBY_SECONDS", "_REFUSED_SECONDS", "_CHECK_SECONDS", "_FIRST_POLL", "_LAST_POLL"):
        monkeypatch.setattr(loop, name, 0.002)
    monkeypatch.setattr(loop, "Backoff", partial(Backoff, 0.001, 0.004))
    monkeypatch.setattr(publisher, "_WAIT_SECONDS", 0.005)
    for name in ("_LOCK_SECONDS", "_POLL_SECONDS"):
        monkeypatch.setattr(epoch, name, 0.002)


@pytest.fixture
def database():
    return FakeDatabase()


@pytest.fixture
def broker():
    return FakeBroker()


@pytest.fixture
def event_log(broker):
    return FakeEventLog(broker)


@pytest.fixture
def producers():
    """The producers of the relays so far."""
    return []


@pytest.fixture
def relay(database, broker, event_log, producers):
    """Make a relay between the fakes, with its `readiness`."""

    def new_publisher():
        producers.append(FakeProducer(broker))
        return Publisher(producers[-1], event_log.name)

    def make(**options):
        readiness, metrics = Readiness(*loop.NEEDS), RelayMetrics(CollectorRegistry())
        made = loop.Relay(database.connect, event_log, new_publisher, readiness, metrics=metrics, **options)
        made.readiness = readiness
        return made

    return make


@pytest.fixture
def new_publisher(broker, event_log):
    return lambda: Publisher(FakeProducer(broker), event_log.name)


@pytest.fixture
def new_producer(broker):
    return lambda: FakeProducer(broker)
