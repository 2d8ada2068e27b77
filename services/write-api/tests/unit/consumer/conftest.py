"""Fakes of a consumer's servers that behave like the real ones, in memory."""

import asyncio
import threading
from functools import partial

import pytest
from confluent_kafka import KafkaError, KafkaException

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_runtime.dead_letters.poison_limit import PoisonLimit
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import AsyncRetryLoop, Backoff
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import new_id
from write_api.bus.unit_of_work import Checkpoint, LogState
from write_api.consumer import loop
from write_api.consumer.batch import BatchHandler
from write_api.consumer.message import ConsumedMessage
from write_api.consumer.progress import Progress
from write_api.consumer.worker import decode
from write_api.kafka.topics import TopicAdmin, TopicMismatchError

A = "00000000-0000-4000-8000-00000000000a"


class FakeTopic(TopicAdmin):
    """A topic with one partition, its consumer group's offset, and the members of that group."""

    def __init__(self):
        super().__init__("fake", topics.COMMANDS, "")
        self.available, self.mismatch = True, False
        self.log, self.committed = [], None
        self.members, self.commits = [], []
        self._id = 0
        self._exists = False

    def create_missing(self):
        self._check()
        if not self._exists:
            self._exists, self._id, self.log = True, self._id + 1, []

    def topic_id(self):
        self._check()
        return f"topic-{self._id}" if self._exists else None

    def first_offsets(self):
        self._check()
        return {0: 0}

    def high_water_marks(self):
        self._check()
        return {0: len(self.log)}

    def wipe(self):
        self._exists, self.log, self.committed = False, [], None

    def send(self, *texts, key=A):
        """Send a command for each text. The text "broken" makes a value that is no JSON."""
        for text in texts:
            self.log.append(message(len(self.log), text, key))

    def join(self, topic_id, start):
        self.members.append(FakeGroupConsumer(self, topic_id, start))
        return self.members[-1]

    def _check(self):
        if not self.available:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        if self.mismatch:
            raise TopicMismatchError("the topic has 3 partitions and not 8")


class FakeGroupConsumer:
    """A member of the group, which is assigned the partition with its first poll and starts at the committed offset."""

    def __init__(self, topic, topic_id, start):
        self._topic, self._topic_id, self._start = topic, topic_id, start
        self.joined, self.closed, self.was_disconnected = False, False, False
        self.assignment = {}
        self.error = None
        self._next = 0
        self._idle = threading.Event()

    def receive(self, limit):
        if self.error is not None or not self._topic.available:
            raise KafkaException(self.error or KafkaError(KafkaError._TRANSPORT))
        if not self.joined:
            self._next = self._topic.committed or 0
            if self._start is not None:
                self._next = self._start({0: LogState(self._topic.committed, len(self._topic.log))})[0]
            self.joined, self.assignment = True, {0: self._topic.committed}
        messages = self._topic.log[self._next : self._next + limit]
        self._next += len(messages)
        if not messages:
            self._idle.wait(0.002)
        return messages

    def commit(self, messages):
        self._topic.committed = messages[-1].offset + 1
        self._topic.commits.append(self._topic.committed)

    def close(self):
        self.closed = True


class FakeWriteModel:
    """A bus that handles each command once, and its dead letters. It crashes on the text "crash"."""

    def __init__(self):
        self.done, self.parked, self.available = [], [], True
        self._ids = set()
        self.checkpoints, self.checkpoint_calls = {}, []

    async def assigned(self, topic_id, logs):
        """Return where to read from, as the checkpoints of a database do."""
        await self._use()
        starts = {}
        for partition, log in logs.items():
            known = self.checkpoints.get(partition)
            if known is None or known.topic_id != topic_id or known.next_offset > log.end:
                begin = min(log.committed or 0, log.end)
                self.checkpoints[partition] = Checkpoint(
                    topic="c", partition=partition, topic_id=topic_id, since=0, next_offset=begin
                )
            offset = self.checkpoints[partition].next_offset
            starts[partition] = offset if log.committed is None else min(offset, log.committed)
        return starts

    async def read(self, topic_id, partitions):
        """Return the next offsets, as the checkpoints of a database do."""
        await self._use()
        known = {each: self.checkpoints[each] for each in partitions if each in self.checkpoints}
        return {each: found.next_offset for each, found in known.items() if found.topic_id == topic_id}

    async def handle(self, commands, checkpoints=()):
        await self._use()
        if any(command.command.message == "crash" for command in commands):
            raise RuntimeError("a defect")
        self.done += [one.command.message for one in commands if one.envelope.message_id not in self._ids]
        self._ids |= {command.envelope.message_id for command in commands}
        if checkpoints:
            for checkpoint in checkpoints:
                if checkpoint.since <= self.checkpoints.get(checkpoint.partition, checkpoint).next_offset:
                    self.checkpoints[checkpoint.partition] = checkpoint
            self.checkpoint_calls.append([command.command.message for command in commands])

    async def parked_keys(self, keys):
        await self._use()
        return {letter.message.key for letter in self.parked} & keys

    async def handled(self, message_ids):
        await self._use()
        return self._ids & message_ids

    async def park(self, letters):
        await self._use()
        offsets = {letter.message.offset for letter in self.parked}
        self.parked += [letter for letter in letters if letter.message.offset not in offsets]

    async def count(self):
        await self._use()
        return len(self.parked)

    @staticmethod
    def id_of(topic, offset):
        """Return the message id at an offset."""
        return topic.log[offset].header("ce_id")

    def reasons(self):
        """Return the offset and the reason of each dead letter."""
        return [(letter.message.offset, letter.reason) for letter in self.parked]

    async def _use(self):
        await asyncio.sleep(0)
        if not self.available:
            raise UnavailableError("Postgres: unavailable")


def message(offset, text, key=A):
    post, message_id = PostCheep(cheep_id=new_id(), author_id=key, message=text), new_id()
    envelope = Envelope(message_id=message_id, type=post.TYPE, source="/t", time=1, key=key, correlation_id=message_id)
    value = b"{" if text == "broken" else codec.encode(post)
    return ConsumedMessage(
        topic="c", partition=0, offset=offset, key=key, headers=to_headers(envelope), value=value, timestamp=1_000
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Shorten every pause of the consumer loop."""
    for name in ("_CHECK_SECONDS", "_REFUSED_SECONDS"):
        monkeypatch.setattr(loop, name, 0.002)
    monkeypatch.setattr(loop, "Backoff", partial(Backoff, 0.001, 0.004))
    monkeypatch.setattr(loop, "AsyncRetryLoop", partial(AsyncRetryLoop, first=0.001, longest=0.004))


@pytest.fixture
def topic():
    topic = FakeTopic()
    topic.create_missing()
    return topic


@pytest.fixture
def a_message():
    """Make messages with consecutive offsets."""
    offsets = iter(range(10_000))
    return lambda text, key=A: message(next(offsets), text, key)


@pytest.fixture
def model():
    return FakeWriteModel()


@pytest.fixture
def consumer(topic, model):
    """Make a consumer loop between the fakes, with its `readiness`."""

    def make(*, decode=decode, batch=10, most_in_a_row=20, lag=None, checkpoints=None):
        handler = BatchHandler(decode, model.handle, model, limit=PoisonLimit(most_in_a_row))
        readiness = Readiness(*loop.NEEDS)
        made = loop.ConsumerLoop(
            topic,
            topic.join,
            handler,
            readiness,
            batch=batch,
            lag=lag,
            progress=checkpoints and Progress(checkpoints, "c"),
        )
        made.readiness = readiness
        return made

    return make
