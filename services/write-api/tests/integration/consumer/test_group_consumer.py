"""The group consumer on a real broker."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from cheeper_contracts.kafka.topics import COMMANDS, DEAD_LETTERS
from cheeper_local.servers.kafka_prefetch import OVERSHOOT, fill, most_fetched
from cheeper_local.testing import until
from cheeper_local.waiting import HANG_SECONDS
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.consumer.group_consumer import GroupConsumer, Subscription, consumer_config
from write_api.consumer.worker import SUBSCRIPTION
from write_api.kafka.topics import admin_client, ensure_topics

pytestmark = pytest.mark.proves(guarantee="exactly-once")

SMALL = Subscription(role="small", topic=DEAD_LETTERS, batch=10)
"""A subscription to a topic with one partition."""

WITH_METADATA = pytest.mark.skipif(
    os.environ.get("BROKER") == "tansu",
    reason="Tansu keeps no metadata beside an offset, and none that outlives a topic",
)


def join(member):
    """Receive from a topic without messages until the member has its partitions.

    A broker may not know a topic yet that its controller has just created.
    """

    def joined():
        try:
            member.receive(1)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
        return member.joined

    until(joined)


def test_a_member_that_closes_while_it_joins_leaves_a_group_that_others_join(own_tansu):
    """Tansu responds to a first join after three seconds, and a member that leaves before keeps no partitions."""
    ensure_topics(admin_client(KafkaConnection(own_tansu.url)), "")
    member, ends_at = GroupConsumer(SUBSCRIPTION, KafkaConnection(own_tansu.url), "", "id"), time.monotonic() + 1
    while time.monotonic() < ends_at:
        member.receive(1)
    assert not member.joined
    member.close()
    with closing(GroupConsumer(SUBSCRIPTION, KafkaConnection(own_tansu.url), "", "id")) as other:
        join(other)


def test_an_error_of_the_broker_while_partitions_are_assigned_is_raised(kafka_bootstrap, topic_prefix):
    """It leaves `receive` as an exception. Broken by one that leaves the callback: it ends the thread, uncaught."""
    ensure_topics(admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    other = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": f"{topic_prefix}other"})
    unknown = TopicPartition(DEAD_LETTERS.named(topic_prefix), DEAD_LETTERS.partitions)

    def start(_states):
        other.get_watermark_offsets(unknown, timeout=10)

    with closing(GroupConsumer(SMALL, KafkaConnection(kafka_bootstrap), topic_prefix, "id", start)) as member:

        def failure():
            with suppress(KafkaException):
                member.receive(1)
                return None
            return "raised"

        with ThreadPoolExecutor(1) as thread:
            until(lambda: thread.submit(failure).result(HANG_SECONDS))
    other.close()


@pytest.mark.extended
def test_a_member_knows_that_there_was_no_broker(own_kafka):
    """It knows it once the broker is back, and without any request meanwhile."""
    ensure_topics(admin_client(KafkaConnection(own_kafka.url)), "")
    with closing(GroupConsumer(SUBSCRIPTION, KafkaConnection(own_kafka.url), "", "id")) as member:
        join(member)
        assert not member.was_disconnected
        own_kafka.stop()
        own_kafka.start()
        until(lambda: member.receive(1) or member.was_disconnected)


def test_partitions_beyond_those_that_are_used_are_not_read(kafka_bootstrap, topic_prefix):
    """A topic with more partitions is read as one with the right number: no message is in the others."""
    name, admin = DEAD_LETTERS.named(topic_prefix), admin_client(KafkaConnection(kafka_bootstrap))
    admin.create_topics([NewTopic(name, DEAD_LETTERS.partitions + 2)])[name].result(30)
    with closing(GroupConsumer(SMALL, KafkaConnection(kafka_bootstrap), topic_prefix, "id")) as member:
        join(member)
        assert set(member.assignment) == set(range(DEAD_LETTERS.partitions))


def test_a_member_of_a_full_group_has_joined_without_partitions(kafka_bootstrap, topic_prefix):
    """More members than partitions are no failure; a member that leaves or loses its share is no longer joined."""
    ensure_topics(admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    members = [
        GroupConsumer(SMALL, KafkaConnection(kafka_bootstrap), topic_prefix, "id")
        for _ in range(DEAD_LETTERS.partitions + 1)
    ]
    for member in members:
        assert not member.joined

    def all_joined():
        for member in members:
            with suppress(KafkaException):  # the topic is made, and not yet known everywhere
                member.receive(1)
        return all(member.joined for member in members)

    until(all_joined)
    for member in members:
        member.close()
        assert not member.joined


@pytest.fixture
def three(kafka_bootstrap, topic_prefix):
    """Send three messages to the small topic, and commit an offset behind two of them with metadata."""
    ensure_topics(admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    topic = DEAD_LETTERS.named(topic_prefix)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    for n in range(3):
        producer.produce(topic, value=str(n), partition=0)
    assert producer.flush(30) == 0

    def committed(group, note):
        with suppress(KafkaException):  # the group's coordinator is not ready yet
            return group.commit(offsets=[TopicPartition(topic, 0, 2, note)], asynchronous=False)

    def commit(note):
        config = {"bootstrap.servers": kafka_bootstrap, "group.id": topic_prefix + SMALL.group}
        with closing(Consumer(config)) as group:
            until(lambda: committed(group, note))

    return commit


@pytest.fixture
def read(kafka_bootstrap, topic_prefix):
    """Read as a new member of the topic "new" until the last message, and commit behind each of the first `commits`."""

    def read_on(commits=0):
        found = []

        def last_came():
            found.extend(member.receive(10))
            return found and found[-1].offset == 2

        with closing(GroupConsumer(SMALL, KafkaConnection(kafka_bootstrap), topic_prefix, "new")) as member:
            until(last_came)
            for message in found[:commits]:
                member.commit([message])
        return [message.offset for message in found]

    return read_on


@WITH_METADATA
def test_an_offset_of_a_topic_that_was_wiped_is_not_trusted(three, read):
    """Each member reads the new topic from its beginning until one has committed, and from there on after that."""
    three("old")
    assert read() == [0, 1, 2]
    assert read(commits=1) == [0, 1, 2]
    assert read() == [1, 2]


@WITH_METADATA
def test_a_member_that_leaves_commits_what_it_has_handled(three, read):
    """It does so too with what it has not committed yet, because its last commit was too recent."""
    three("old")
    assert read(commits=2) == [0, 1, 2]
    assert read() == [2]


@pytest.mark.parametrize("note", ["new", ""])
def test_an_offset_of_this_topic_is_where_a_member_goes_on(three, read, note):
    """An offset without metadata is used as well: older versions wrote none, and Tansu keeps none."""
    three(note)
    assert read() == [2]


def test_an_unavailable_broker_delays_no_close():
    """A member of a group that cannot be joined closes all the same."""
    member = GroupConsumer(SUBSCRIPTION, KafkaConnection("127.0.0.1:1"), "", "id")
    ending = threading.Thread(target=member.close, daemon=True)
    ending.start()
    ending.join(HANG_SECONDS)
    assert not ending.is_alive()


@pytest.mark.extended
def test_an_unavailable_broker_delays_no_commit(own_kafka):
    """The member is back in its group once the broker is, and others go on at the offsets that it commits from then on.
    If the broker refuses the commit, `receive` raises, and the loop begins again with another member.

    Broken by a `commit` that waits for its response: that waits for a rebalance, which waits for `receive`.
    """
    ensure_topics(admin_client(KafkaConnection(own_kafka.url)), "")
    producer = Producer({"bootstrap.servers": own_kafka.url})

    def send(*texts):
        for text in texts:
            producer.produce(DEAD_LETTERS.name, value=text, partition=0)
        assert producer.flush(60) == 0

    def receive_until(member, text):
        found = []
        until(lambda: found.extend(member.receive(10)) or (found and found[-1].value == text))
        return found

    send("one", "two")
    member = GroupConsumer(SMALL, KafkaConnection(own_kafka.url), "", "id")
    found = receive_until(member, b"two")
    own_kafka.stop()
    committing = threading.Thread(target=member.commit, args=(found,), daemon=True)
    committing.start()
    committing.join(5)
    own_kafka.start()
    committing.join(120)
    assert not committing.is_alive()
    send("three")
    try:
        found = receive_until(member, b"three")
    except KafkaException:
        member.close()
        member = GroupConsumer(SMALL, KafkaConnection(own_kafka.url), "", "id")
        found = receive_until(member, b"three")
    member.commit(found)
    member.close()
    send("four")
    with closing(GroupConsumer(SMALL, KafkaConnection(own_kafka.url), "", "id")) as other:
        assert [message.value for message in receive_until(other, b"four")] == [b"four"]


@pytest.mark.extended
def test_a_commit_without_a_response_delays_no_end(own_kafka):
    """A broker that freezes with a commit in flight and is then lost leaves the member able to stop, and another one in
    its replacement begins where the group was.

    Broken by a `close` that calls librdkafka's with a commit in flight: that waits while the broker is unavailable.
    """
    ensure_topics(admin_client(KafkaConnection(own_kafka.url)), "")
    producer = Producer({"bootstrap.servers": own_kafka.url})
    producer.produce(DEAD_LETTERS.name, value="one", partition=0)
    assert producer.flush(60) == 0
    member = GroupConsumer(SMALL, KafkaConnection(own_kafka.url), "", "id")
    found = until(lambda: member.receive(10))
    os.kill(own_kafka.pid, signal.SIGSTOP)
    member.commit(found)
    until(lambda: not member.receive(10))  # which the commit is sent by
    own_kafka.kill()
    ending = threading.Thread(target=member.close, daemon=True)
    ending.start()
    ending.join(120)
    assert not ending.is_alive()
    own_kafka.start()
    with closing(GroupConsumer(SMALL, KafkaConnection(own_kafka.url), "", "id")) as other:
        assert [message.value for message in until(lambda: other.receive(10))] == [b"one"]


@pytest.mark.proves(guarantee="transient-faults")
def test_what_is_fetched_during_an_outage_is_bounded(kafka_bootstrap, topic_prefix):
    """A bounded amount is fetched while nothing is received, however much is in the topic.

    Broken by a configuration without `queued.max.messages.kbytes`.
    """
    ensure_topics(admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    topic, partitions = COMMANDS.named(topic_prefix), COMMANDS.partitions
    there = fill(kafka_bootstrap, topic, partitions)
    most = most_fetched(
        consumer_config(SUBSCRIPTION, KafkaConnection(kafka_bootstrap), topic_prefix), topic, partitions
    )
    assert most <= 16 * 1024 * 1024 + partitions * OVERSHOOT < there
