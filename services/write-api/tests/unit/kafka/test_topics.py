"""The client of requests about topics. A real broker's responses are tested in integration/kafka."""

import socket
from concurrent.futures import Future
from types import SimpleNamespace
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException
from structlog.testing import capture_logs

from cheeper_contracts.kafka import topics
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.kafka import topics as module
from write_api.kafka.topics import TopicAdmin, TopicMismatchError, create_missing, describe

PREFIX = f"t{uuid4()}."


def test_requests_share_a_client_until_one_fails():
    """A new client for each request would connect each time, and its first request may time out.

    Broken by a `request` that takes a client without waiting events, which is false, for None.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:  # otherwise the client has an error event, and is true
        admin = TopicAdmin(KafkaConnection(f"127.0.0.1:{silent.getsockname()[1]}"), topics.EVENTS, "")
        first = admin.request(lambda client: client)

        assert admin.request(lambda client: client) is first
        with pytest.raises(ZeroDivisionError):
            admin.request(lambda _: 1 / 0)
        assert admin.request(lambda client: client) is not first


class Broker:
    """An admin client of a broker whose topics have so many partitions; those in `missing` do not exist."""

    def __init__(self, partitions, missing=()):
        self.partitions, self.missing, self.settings = partitions, set(missing), {}

    def describe_topics(self, wanted, request_timeout):
        del request_timeout
        return {name: self._described(name) for name in wanted.topic_names}

    def create_topics(self, new, request_timeout):
        del request_timeout
        for each in new:
            self.missing.remove(each.topic)
            self.settings[each.topic] = each.config
        return {each.topic: self._described(each.topic) for each in new}

    def _described(self, name):
        future = Future()
        if name in self.missing:
            future.set_exception(KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
        else:
            future.set_result(SimpleNamespace(topic_id="id", partitions=[None] * self.partitions))
        return future


def test_more_partitions_than_are_used_are_a_warning():
    """Each message names its partition, so the topic serves as before; the warning is logged once."""
    with capture_logs() as lines:
        assert [describe(Broker(9), topics.COMMANDS, PREFIX) for _ in range(3)] == ["id"] * 3
    (line,) = lines
    assert (line["log_level"], line["partitions"], line["used"]) == ("warning", 9, 8)


def test_fewer_partitions_are_refused():
    """The messages of some keys could not be sent."""
    with pytest.raises(TopicMismatchError, match="has 7 partitions and not 8"):
        describe(Broker(7), topics.COMMANDS, PREFIX)


def test_a_missing_topic_is_created_with_its_settings_and_an_existing_one_is_left_alone():
    """Only `migrate` changes the settings of a topic, so no role needs the privilege to do so."""
    broker = Broker(8, [topics.COMMANDS.name])
    assert create_missing(broker, topics.COMMANDS, "")
    assert not create_missing(broker, topics.EVENTS, "")
    assert broker.settings == {topics.COMMANDS.name: topics.COMMANDS.config}


def test_a_role_creates_its_own_topics_alone():
    """Another role's may be missing for as long as that role does not run."""
    broker = Broker(8, [topic.name for topic in topics.TOPICS])

    class Admin(TopicAdmin):
        def request(self, function, *args, **kwargs):
            return function(broker, *args, **kwargs)

    kafka = KafkaConnection("nowhere")
    Admin(kafka, topics.EVENTS, "").create_missing()
    assert broker.settings == {}
    Admin(kafka, topics.EVENTS, "", (topics.COMMANDS, topics.DEAD_LETTERS)).create_missing()
    assert broker.missing == {topics.EVENTS.name}


class WithoutALeader:
    """An admin client of a broker that has no leader for one partition, and says so by an offset alone."""

    def __bool__(self):
        return False

    def poll(self, _seconds):
        return 0

    def list_offsets(self, wanted, request_timeout):
        del request_timeout
        return {each: self._offset(each.partition) for each in wanted}

    def _offset(self, partition):
        future = Future()
        future.set_result(SimpleNamespace(offset=-1001 if partition == 5 else 108))
        return future


def test_the_offsets_of_a_partition_without_a_leader_are_unknown(monkeypatch):
    """Otherwise the relay would find that Kafka was wiped, and remove the log that it fills again."""
    monkeypatch.setattr(module, "admin_client", lambda *_: WithoutALeader())
    admin = TopicAdmin(KafkaConnection("fake"), topics.EVENTS, "")
    for requested in (admin.high_water_marks, admin.first_offsets):
        with pytest.raises(TimeoutError, match="partition 5"):
            requested()
