"""The partitions of a topic, as a consumer group on a real broker gives them."""

import os
import signal
import threading
import time
from contextlib import closing, suppress

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_local.servers.kafka_prefetch import OVERSHOOT, fill, most_fetched
from cheeper_local.testing import until
from cheeper_runtime.servers.kafka import KafkaConnection
from projector.kafka.assignment import BEGINNING, Assignment
from projector.kafka.consumer_settings import consumer_settings
from projector.kafka.topic import TopicWatch


def test_one_that_closes_while_it_joins_leaves_a_group_that_others_join(own_tansu):
    """Tansu responds to a first join after three seconds; a consumer that leaves within them keeps no partitions."""
    admin = AdminClient({"bootstrap.servers": own_tansu.url})
    admin.create_topics([NewTopic(COMMANDS.name, COMMANDS.partitions, 1)])[COMMANDS.name].result(30)

    def an_assignment():
        return Assignment(
            consumer_settings(KafkaConnection(own_tansu.url), "group"),
            COMMANDS.name,
            TopicWatch(lambda: admin, COMMANDS.name),
        )

    first, ends_at = an_assignment(), time.monotonic() + 1
    while time.monotonic() < ends_at:
        first.poll(0.1)
    assert not first.joined
    first.close()
    with closing(an_assignment()) as second:
        until(lambda: second.poll(0.1) or second.assigned)
        assert second.assigned == set(range(COMMANDS.partitions))


def test_partitions_beyond_those_that_are_used_are_not_read(kafka_bootstrap, topic_prefix):
    """A topic with more partitions is read as one with the right number: no message is in the others."""
    name, admin = EVENTS.named(topic_prefix), AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(name, EVENTS.partitions + 2)])[name].result(30)
    settings = consumer_settings(KafkaConnection(kafka_bootstrap), f"{topic_prefix}group")
    with closing(Assignment(settings, name, TopicWatch(lambda: admin, name))) as assignment:
        until(lambda: assignment.poll(0.1) or assignment.joined)
        assert assignment.assigned == assignment.paused == set(range(EVENTS.partitions))


@pytest.mark.extended
def test_a_commit_without_a_response_delays_no_end(own_kafka):
    """A projector can end although the broker froze with the group's offsets in flight and was then lost.

    It fails if `close` waits for librdkafka's, which waits for that response as long as the broker is unavailable.
    """
    admin = AdminClient({"bootstrap.servers": own_kafka.url})
    admin.create_topics([NewTopic(COMMANDS.name, COMMANDS.partitions)])[COMMANDS.name].result(30)
    producer = Producer({"bootstrap.servers": own_kafka.url})
    producer.produce(COMMANDS.name, value="one", partition=0)
    assert producer.flush(30) == 0
    assignment = Assignment(
        consumer_settings(KafkaConnection(own_kafka.url), "commands")
        | {"auto.commit.interval.ms": 100, "log_level": 0},
        COMMANDS.name,
        TopicWatch(lambda: admin, COMMANDS.name),
    )
    until(lambda: assignment.poll(0.1) or assignment.assigned)
    assignment.read_from({0: 0})
    until(lambda: 0 in assignment.poll(0.1))
    os.kill(own_kafka.pid, signal.SIGSTOP)
    assignment.store_offset(0, 0)
    ends_at = time.monotonic() + 1  # ten times the interval by which librdkafka commits
    until(lambda: assignment.poll(0.1) or time.monotonic() > ends_at)
    own_kafka.kill()
    ending = threading.Thread(target=assignment.close, daemon=True)
    ending.start()
    ending.join(120)
    assert not ending.is_alive()


@pytest.mark.proves(guarantee="exactly-once")
def test_what_is_assigned_again_while_idle_is_read(kafka_bootstrap, topic_prefix):
    """A rebalance that falls into a pause, for instance of an unavailable store, leaves no partition paused.

    It fails when only what is still read is resumed: librdkafka keeps a partition paused that is assigned anew.
    """
    name, admin = COMMANDS.named(topic_prefix), AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(name, COMMANDS.partitions)])[name].result(30)
    settings = consumer_settings(KafkaConnection(kafka_bootstrap), f"{topic_prefix}group")

    def an_assignment():
        return closing(Assignment(settings, name, TopicWatch(lambda: admin, name)))

    with an_assignment() as first:
        until(lambda: first.poll(0.1) or first.assigned)
        first.read_from(dict.fromkeys(first.assigned, BEGINNING))
        with an_assignment() as second:
            until(lambda: second.poll(0) or first.idle(0.1) or second.assigned)
            assert first.assigned == first.paused == set(range(COMMANDS.partitions)) - second.assigned
            producer = Producer({"bootstrap.servers": kafka_bootstrap})
            for partition in first.assigned:
                producer.produce(name, value="one", partition=partition)
            assert producer.flush(30) == 0
            first.read_from(dict.fromkeys(first.assigned, BEGINNING))
            left = set(first.assigned)
            until(lambda: left.difference_update(first.poll(0.1)) or not left)


def send(kafka, value):
    """Make the topic of commands if it is not there, and send one message to its first partition."""
    with suppress(KafkaException):
        admin = AdminClient({"bootstrap.servers": kafka.url})
        admin.create_topics([NewTopic(COMMANDS.name, COMMANDS.partitions)])[COMMANDS.name].result(30)
    producer = Producer({"bootstrap.servers": kafka.url})
    producer.produce(COMMANDS.name, value=value, partition=0)
    assert producer.flush(30) == 0


@pytest.fixture
def reading(own_kafka):
    """Call `reads(value)` to read from the beginning of whatever is assigned until that message comes."""
    send(own_kafka, "first")
    admin = AdminClient({"bootstrap.servers": own_kafka.url})
    settings = consumer_settings(KafkaConnection(own_kafka.url), "commands") | {"log_level": 0}
    with closing(Assignment(settings, COMMANDS.name, TopicWatch(lambda: admin, COMMANDS.name))) as assignment:

        def came(value):
            assignment.poll_topic()
            if assignment.paused and assignment.topic.error is None:
                assignment.read_from(dict.fromkeys(assignment.paused, BEGINNING))
            return value in [each.value().decode() for messages in assignment.poll(0.1).values() for each in messages]

        yield lambda value: until(lambda: came(value))


@pytest.mark.proves(guarantee="exactly-once")
@pytest.mark.extended
@pytest.mark.parametrize("change", ["wipe", "restore"])
def test_a_broker_whose_leaders_are_of_an_older_epoch_is_read(own_kafka, reading, change):
    """A topic that was made again, and a log that was restored from a copy, are read by the running process.

    Each start of the broker begins another epoch of the partitions' leaders. It fails with the same client: librdkafka
    ignores leaders of an epoch below the one that it knows.
    """
    own_kafka.stop()
    if change == "restore":
        own_kafka.save()
    for _ in range(2):
        own_kafka.start()
        reading("first")
        own_kafka.stop()
    getattr(own_kafka, change)()
    own_kafka.start()
    send(own_kafka, "second")
    reading("second")


@pytest.mark.proves(guarantee="transient-faults")
def test_messages_that_wait_for_an_unavailable_store_are_bounded(kafka):
    """However much is in the log, so much is fetched while nothing reads it.

    Fails without `queued.max.messages.kbytes` in the consumer's settings.
    """
    topic, partitions = EVENTS.named(kafka.prefix), EVENTS.partitions
    there = fill(kafka.servers, topic, partitions)
    most = most_fetched(consumer_settings(KafkaConnection(kafka.servers), f"{kafka.prefix}group"), topic, partitions)
    assert most <= 16 * 1024 * 1024 + partitions * OVERSHOOT < there
