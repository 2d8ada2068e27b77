"""The client of requests about topics. A real broker's responses are tested in integration/kafka."""

import socket
from concurrent.futures import Future
from types import SimpleNamespace
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from cheeper_contracts.kafka import topics
from write_api.kafka.topics import TopicAdmin, TopicMismatchError, describe

PREFIX = f"t{uuid4()}."


def test_requests_share_a_client_until_one_fails():
    """A new client for each request would connect each time, and its first request may time out.

    Broken by a `request` that takes a client without waiting events, which is false, for None.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:  # otherwise the client has an error event, and is true
        admin = TopicAdmin(f"127.0.0.1:{silent.getsockname()[1]}", topics.EVENTS, "")
        first = admin.request(lambda client: client)

        assert admin.request(lambda client: client) is first
        with pytest.raises(ZeroDivisionError):
            admin.request(lambda _: 1 / 0)
        assert admin.request(lambda client: client) is not first


class Broker:
    """An admin client of a broker whose topics have so many partitions."""

    def __init__(self, partitions):
        self.partitions = partitions

    def describe_topics(self, wanted, request_timeout):
        del request_timeout
        described = SimpleNamespace(topic_id="id", partitions=[None] * self.partitions)
        futures = {name: Future() for name in wanted.topic_names}
        for future in futures.values():
            future.set_result(described)
        return futures


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
