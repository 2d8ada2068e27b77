"""Accepted commands on a real log and a real Redis: recorded soon, and never instead of their outcome."""

import os
import threading
import time
import uuid
from contextlib import contextmanager, suppress

import msgspec
import pytest
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaException, Producer, TopicPartition
from projector_testing.topics import Topics

from cheeper_contracts import views
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.http.responses import COMMAND_RECORD_SECONDS
from cheeper_contracts.kafka.codec import encode
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_contracts.kafka.topics import COMMANDS, partition_of
from cheeper_local.testing import until
from cheeper_runtime.readiness.needs import Readiness
from projector import bootstrap
from projector.settings import from_env

WEEK = COMMAND_RECORD_SECONDS * 1_000_000
EMAIL = "somebody@example.org"
ON_KAFKA = pytest.mark.skipif(
    os.environ.get("BROKER") == "tansu",
    reason="librdkafka crashes on what Tansu returns for a deleted topic; Tansu loses topics by a restart only",
)

WITH_METADATA = pytest.mark.skipif(
    os.environ.get("BROKER") == "tansu",
    reason="Tansu keeps no metadata beside an offset, so what it has is read from the beginning",
)


def now():
    return time.time_ns() // 1_000


class Commands(Topics):
    """The topic of commands, as write-api and an operator handle it."""

    def __init__(self, servers, prefix):
        super().__init__(servers, prefix, COMMANDS)

    def send(self, *, message_id=None, at=None, key=None, headers=None, value=None):
        """A sign-up with its e-mail address; its envelope."""
        key = key or str(uuid.uuid4())
        envelope = Envelope(
            message_id=message_id or str(uuid.uuid4()),
            type=SignUp.TYPE,
            source="/test",
            time=now() if at is None else at,
            key=key,
            correlation_id=str(uuid.uuid4()),
        )
        command = SignUp(author_id=key, username="ann", email=EMAIL)
        producer = Producer({"bootstrap.servers": self.servers, "enable.idempotence": True})
        producer.produce(
            self.topic,
            value=encode(command) if value is None else value,
            key=key.encode(),
            partition=partition_of(key),
            headers=to_headers(envelope) if headers is None else headers,
        )
        assert producer.flush(30) == 0
        return envelope


@pytest.fixture
def commands(kafka_bootstrap, topic_prefix):
    made = Commands(kafka_bootstrap, topic_prefix)
    made.make()
    return made


@pytest.fixture
def running(redis_url, redis_prefix):
    """Runs the consumer in a thread, ended with the block, which gives its readiness."""

    @contextmanager
    def run(commands, url=redis_url):
        environ = {
            "KAFKA_BOOTSTRAP_SERVERS": commands.servers,
            "TOPIC_PREFIX": commands.prefix,
            "REDIS_URL": url,
            "REDIS_PREFIX": redis_prefix,
            "MONGO_URL": "mongodb://127.0.0.1:1",
        }
        readiness, stop = Readiness(), threading.Event()
        made = bootstrap.accepted_commands(from_env(environ), "redis", readiness=readiness, stop=stop)
        failures = []

        def guarded():
            try:
                made.run()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                failures.append(error)

        thread = threading.Thread(target=guarded)
        thread.start()
        try:
            yield readiness
        finally:
            stop.set()
            thread.join(120)
            assert not thread.is_alive()
            assert failures == []

    return run


@pytest.fixture
def record(redis, redis_prefix):
    """That a command was accepted, none if that is not noted."""

    def read(envelope):
        text = redis.get(views.ACCEPTED_COMMAND.key(redis_prefix, envelope.message_id))
        return text and msgspec.json.decode(text, type=views.AcceptedCommand)

    return read


@pytest.fixture
def status(record, redis, redis_prefix):
    """Return the status of a command as a reader sees it: its record counts before its acceptance."""

    def read(envelope):
        text = redis.get(views.COMMAND_RECORD.key(redis_prefix, envelope.message_id))
        if text:
            return msgspec.json.decode(text, type=views.CommandRecord).status
        return record(envelope) and "accepted"

    return read


def test_an_accepted_command_has_a_record(running, commands, record, redis, redis_prefix):
    """It states what was sent and when, expires when a settled one would, and has no place in the log of events."""
    sent = commands.send()
    with running(commands) as readiness:
        until(lambda: record(sent))
        until(lambda: all(need.ok for need in readiness.needs().values()))
    assert record(sent) == views.AcceptedCommand(
        message_id=sent.message_id, key=sent.key, type="cheeper.sign-up.v1", at=sent.time
    )
    expires = redis.expiretime(views.ACCEPTED_COMMAND.key(redis_prefix, sent.message_id))
    assert expires == sent.time // 1_000_000 + COMMAND_RECORD_SECONDS


def test_the_value_is_never_read(running, commands, status, redis, redis_prefix):
    """No e-mail address comes to Redis, and an unreadable value is accepted like any other."""
    whole, broken = commands.send(), commands.send(value=b"\xff{")
    with running(commands):
        until(lambda: status(whole) == status(broken) == "accepted")
    stored = b"".join(redis.get(key) for key in redis.scan_iter(f"{redis_prefix}*"))
    assert EMAIL.encode() not in stored


def test_a_settled_command_stays_settled(running, commands, status, redis_store, story, author, helpers):
    """Seen only after it was handled or rejected, however often, a command keeps its record."""
    published = [
        story.signed(author(), partition=0),
        story.add(
            CommandRejected(command_type=SignUp.TYPE, command_key="key", code="username_taken", message="No."),
            partition=0,
        ),
    ]
    helpers.apply_all(redis_store(), 0, [one.message for one in published])
    settled = [commands.send(message_id=one.envelope.reply_to, key=author()) for one in published for _ in range(2)]
    last = [commands.send(key=one.key) for one in settled]
    with running(commands):
        until(lambda: all(status(one) for one in last))
    assert [status(one) for one in settled] == ["handled", "handled", "rejected", "rejected"]


def test_the_outcome_of_a_command_replaces_its_acceptance(
    running, commands, status, redis_store, story, author, helpers
):
    """A status moves from accepted to handled, and a redelivery of the command does not bring it back."""
    published = story.signed(author(), partition=0)
    sent = commands.send(message_id=published.envelope.reply_to)
    with running(commands):
        until(lambda: status(sent) == "accepted")
        helpers.apply_all(redis_store(), 0, [published.message])
        assert status(sent) == "handled"
        commands.send(message_id=sent.message_id, key=sent.key)
        again = commands.send(key=sent.key)
        until(lambda: status(again) == "accepted")
    assert status(sent) == "handled"


def test_a_record_that_would_have_expired_is_not_written(running, commands, status):
    """A consumer that begins with a log of years fills Redis with nothing that has expired."""
    old = commands.send(at=now() - WEEK - 1_000_000)
    young = commands.send(at=now() - WEEK + 60_000_000, key=old.key)
    with running(commands):
        until(lambda: status(young) == "accepted")
    assert status(old) is None


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("ce_id", None)],
        [("ce_specversion", b"1.0"), ("ce_id", b"\xff")],
        to_headers(Envelope(message_id="X" * 36, type="t", source="/", time=0, key="k", correlation_id="c")),
    ],
    ids=["none", "empty", "no text", "no id"],
)
def test_malformed_headers_are_skipped(running, commands, status, redis, redis_prefix, headers):
    """They are the worker's to park; the next command of the partition is accepted."""
    key = str(uuid.uuid4())
    commands.send(key=key, headers=headers)
    good = commands.send(key=key)
    with running(commands):
        until(lambda: status(good) == "accepted")
    assert len(list(redis.scan_iter(f"{redis_prefix}*"))) == 1


@WITH_METADATA
def test_it_goes_on_where_its_group_is(running, commands, status, redis, redis_prefix):
    """The next process reads no recorded command again and leaves none out."""
    first = commands.send()
    with running(commands):
        until(lambda: status(first))
    redis.delete(views.ACCEPTED_COMMAND.key(redis_prefix, first.message_id))
    second = commands.send(key=first.key)
    with running(commands):
        until(lambda: status(second))
    assert status(first) is None


@ON_KAFKA
@pytest.mark.parametrize("while_running", [True, False], ids=["while it runs", "before it starts"])
def test_a_wiped_topic_is_read_from_its_beginning(running, commands, status, while_running):
    """An offset of the topic that was wiped means nothing in the one made anew."""
    key = str(uuid.uuid4())
    old = [commands.send(key=key) for _ in range(3)]

    def wiped():
        commands.wipe()
        commands.make([COMMANDS])
        return [commands.send(key=key) for _ in range(5)]

    with running(commands):
        until(lambda: all(status(one) for one in old))
        new = wiped() if while_running else []
        until(lambda: all(status(one) for one in new))
    if not while_running:
        new = wiped()
        with running(commands):
            until(lambda: all(status(one) for one in new))


def test_an_offset_of_another_topic_is_not_trusted(running, commands, status):
    """A late commit from before a wipe, which the broker takes for the topic made anew, hides nothing of it."""
    key = str(uuid.uuid4())
    sent = [commands.send(key=key) for _ in range(3)]
    group = KafkaConsumer(
        {"bootstrap.servers": commands.servers, "group.id": f"{commands.prefix}cheeper.projector.commands"}
    )
    late = TopicPartition(commands.topic, partition_of(key), 2, "the id of the topic that was wiped")

    def committed():
        with suppress(KafkaException):  # the group's coordinator is not ready yet
            return group.commit(offsets=[late], asynchronous=False)

    until(committed)
    group.close()
    with running(commands):
        until(lambda: all(status(one) for one in sent))


@pytest.mark.extended  # test_consumer.py has it for events
def test_several_share_the_partitions(running, commands, status):
    """A second one joins, the first one leaves, and every command has its record."""
    sent = [commands.send() for _ in range(10)]
    with running(commands):
        with running(commands):
            sent += [commands.send() for _ in range(10)]
            until(lambda: all(status(one) for one in sent))
        sent += [commands.send() for _ in range(10)]
        until(lambda: all(status(one) for one in sent))


def test_an_unavailable_redis_delays_it_and_loses_nothing(running, commands, own_redis, redis_prefix):
    """Readiness reports an unavailable Redis; once it is back, every command that was sent meanwhile has its record."""
    import redis as redis_client

    with running(commands, url=own_redis.url) as readiness:
        until(lambda: all(need.ok for need in readiness.needs().values()))
        own_redis.stop()
        sent = [commands.send() for _ in range(5)]
        until(lambda: not readiness.needs()["redis"].ok)
        own_redis.start()
        with redis_client.Redis.from_url(own_redis.url) as client:
            keys = [views.ACCEPTED_COMMAND.key(redis_prefix, one.message_id) for one in sent]
            until(lambda: client.exists(*keys) == len(keys))
        until(lambda: readiness.needs()["redis"].ok)


@ON_KAFKA
@pytest.mark.extended
def test_an_unavailable_kafka_delays_it_and_loses_nothing(running, own_kafka, status):
    """Readiness reports an unavailable broker; once it is back, reading continues."""
    commands = Commands(own_kafka.url, "unavailable.")
    commands.make()
    first = commands.send()
    with running(commands) as readiness:
        until(lambda: status(first))
        own_kafka.stop()
        until(lambda: not readiness.needs()["kafka"].ok)
        own_kafka.start()
        second = commands.send()
        until(lambda: status(second))
        until(lambda: all(need.ok for need in readiness.needs().values()))
