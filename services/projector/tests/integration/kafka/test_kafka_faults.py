"""Kafka frozen, and Kafka that refuses us for now: waited for and reported, nothing skipped, nothing parked."""

import os
import threading
import time
import uuid
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from cheeper_contracts import views
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_local.testing import until
from cheeper_runtime.readiness.needs import Readiness
from projector import bootstrap
from projector.kafka.topic import TopicWatch
from projector.settings import from_env

FAULTS = ["frozen", "refuses reads", "refuses the group"]

pytestmark = [
    pytest.mark.variants("store"),
    pytest.mark.proves(guarantee="transient-faults"),
    pytest.mark.skipif(os.environ.get("BROKER") == "tansu", reason="Tansu knows no rules of who may do what"),
]


@pytest.fixture
def kafka_bootstrap(faulty_kafka):
    return faulty_kafka.url


@pytest.fixture
def topic_prefix():
    """Delete nothing, because the broker ends with the module."""
    return f"t{uuid.uuid4().hex}."


@pytest.fixture
def fault(faulty_kafka, topic_prefix):
    """A fault of the broker by name, for the consumer of a store or of the commands."""

    def named(name, topic, part):
        return {
            "frozen": faulty_kafka.frozen,
            "refuses reads": lambda: faulty_kafka.refuses_reads(topic.named(topic_prefix)),
            "refuses the group": lambda: faulty_kafka.refuses_group(f"{topic_prefix}cheeper.projector.{part}"),
        }[name]()

    return named


@pytest.mark.parametrize("name", FAULTS)
def test_a_store_waits_for_kafka(running, kafka, fault, story, author, followers, name):
    """Readiness says that the log cannot be read, and once it can, without any message to come, that it can; then all
    is applied once.
    """
    one = author()
    story.signed(one)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
        until(lambda: consumer.reasons() == [])
        with fault(name, EVENTS, consumer.store.name):
            until(consumer.reasons)
            assert not any("127.0.0.1" in why for why in consumer.reasons())
            assert consumer.failure is None
        until(lambda: consumer.reasons() == [])
        before = len(story.all_messages())
        for _ in range(5):
            story.followed(author(), one)
        kafka.send(story.all_messages()[before:])
        until(lambda: consumer.sequences() == story.whole() or consumer.failure)
        assert consumer.failure is None
        assert consumer.store.status().parked == 0
        assert followers(one) == 5


@contextmanager
def noting(environ):
    """The consumer of accepted commands, in a thread."""
    readiness, stop = Readiness(), threading.Event()
    acceptance = bootstrap.accepted_commands(from_env(environ), "redis", readiness=readiness, stop=stop)
    thread = threading.Thread(target=acceptance.run)
    thread.start()
    try:
        yield lambda: [need.reason for need in readiness.needs().values() if not need.ok]
    finally:
        stop.set()
        thread.join(120)


def send_command(kafka):
    """A command's headers, which are all that is read of it; its message id."""
    message_id, key = str(uuid.uuid4()), str(uuid.uuid4())
    envelope = Envelope(
        message_id=message_id,
        type=SignUp.TYPE,
        source="/test",
        time=time.time_ns() // 1_000,
        key=key,
        correlation_id=message_id,
    )
    producer = Producer({"bootstrap.servers": kafka.servers, "enable.idempotence": True})
    producer.produce(COMMANDS.named(kafka.prefix), value=b"{}", key=key, headers=to_headers(envelope))
    assert producer.flush(30) == 0
    return message_id


@pytest.mark.extended  # it waits as a store does
@pytest.mark.parametrize("name", FAULTS)
def test_the_consumer_of_accepted_commands_waits_for_kafka(environ, kafka, fault, redis, redis_prefix, name):
    """Commands that come around the fault all have their record."""

    def noted(message_ids):
        keys = [views.ACCEPTED_COMMAND.key(redis_prefix, one) for one in message_ids]
        return redis.exists(*keys) == len(keys)

    with noting(environ) as reasons:
        until(lambda: reasons() == [])
        first = send_command(kafka)
        until(lambda: noted([first]))
        with fault(name, COMMANDS, "commands"):
            until(reasons)
        until(lambda: reasons() == [])
        later = [send_command(kafka) for _ in range(5)]
        until(lambda: noted(later))


class Counting:
    """Asks a broker of its topics, and counts the questions."""

    def __init__(self, servers):
        self.asked, self._admin = 0, AdminClient({"bootstrap.servers": servers, "log_level": 0})

    def describe_topics(self, *names, **options):
        self.asked += 1
        return self._admin.describe_topics(*names, **options)


@pytest.mark.extended  # a store waits for Kafka through the same watch
def test_a_watch_sees_a_broker_that_responds_again(faulty_kafka, kafka):
    """Questions that a frozen broker left unanswered do not make it blind.

    Fails where the watch asks no more after a question that failed.
    """
    admin = Counting(kafka.servers)
    watch = TopicWatch(lambda: admin, kafka.topic)

    def sees():
        watch.poll()
        return watch.error is None

    until(sees)
    with faulty_kafka.frozen():
        begun = admin.asked
        until(lambda: not sees() and admin.asked >= begun + 3)  # two of them were given up
    until(sees)
