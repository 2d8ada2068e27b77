"""The watch of a topic, over a broker that a test controls."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException
from structlog.testing import capture_logs

from projector.kafka.topic import TopicWatch, WrongTopicError


class Broker:
    """An admin client of a broker that responds at once."""

    def __init__(self, partitions, topic_id="one"):
        self.partitions, self.topic_id = partitions, topic_id

    def describe_topics(self, wanted, request_timeout):
        del request_timeout
        futures = {name: Future() for name in wanted.topic_names}
        for future in futures.values():
            future.set_result(SimpleNamespace(topic_id=self.topic_id, partitions=[None] * self.partitions))
        return futures


def polled(watch, times=1):
    """Poll for some responses; return the last result."""
    for _ in range(times):
        assert watch.poll() is False  # which sends the request
        replaced = watch.poll()
    return replaced


def test_the_topic_id_is_that_of_the_broker():
    """It is None before the first response, and another id means that the topic was replaced."""
    broker = Broker(8)
    watch = TopicWatch(lambda: broker, "events", period=0)
    assert watch.topic_id is None
    assert polled(watch) is False
    assert (watch.topic_id, watch.error) == ("one", None)
    broker.topic_id = "two"
    assert polled(watch) is True


def test_a_lost_connection_is_an_error_until_the_next_response():
    """The next poll sends a request without waiting for the period."""
    watch = TopicWatch(lambda: Broker(8), "events", period=3600)
    polled(watch)
    watch.disconnected(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert watch.error == "Local: All broker connections are down"
    assert polled(watch) is False
    assert watch.error is None


def test_more_partitions_than_are_used_are_a_warning():
    """Each message names its partition, so the topic serves as before; the warning is logged once."""
    watch = TopicWatch(lambda: Broker(12), "events", period=0)
    with capture_logs() as lines:
        assert polled(watch, times=3) is False
    assert watch.topic_id == "one"
    (line,) = lines
    assert (line["log_level"], line["partitions"], line["used"]) == ("warning", 12, 8)


def test_fewer_partitions_end_the_watch():
    """The messages of some keys could not be there."""
    with pytest.raises(WrongTopicError, match="events has 7 partitions, not 8"):
        polled(TopicWatch(lambda: Broker(7), "events", period=0))


class Failing:
    """An admin client whose requests end with this error."""

    def __init__(self, code):
        self.code = code

    def describe_topics(self, wanted, request_timeout):
        assert request_timeout > 0
        futures = {name: Future() for name in wanted.topic_names}
        for future in futures.values():
            future.set_exception(KafkaException(KafkaError(self.code)))
        return futures


def test_a_client_whose_request_failed_is_replaced():
    """A client waits for the broker that it takes for the controller, however long that one is down."""
    clients = iter([Failing(KafkaError._TIMED_OUT), Failing(KafkaError._TIMED_OUT), Broker(8)])
    watch = TopicWatch(lambda: next(clients), "events", period=0)
    assert polled(watch, times=2) is False
    assert (watch.topic_id, watch.error) == (None, "Local: Timed out")
    assert polled(watch) is False
    assert (watch.topic_id, watch.error) == ("one", None)


def test_a_client_whose_broker_responds_is_kept():
    """A topic that does not exist yet is a response, and a new client each time would cost threads and connections."""
    made = []

    def connect():
        made.append(Failing(KafkaError.UNKNOWN_TOPIC_OR_PART))
        return made[-1]

    watch = TopicWatch(connect, "events", period=0)
    assert polled(watch, times=3) is False
    assert "write-api migrate makes it" in watch.error
    assert len(made) == 1
