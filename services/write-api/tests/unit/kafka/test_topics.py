"""The client of requests about topics. A real broker's responses are tested in integration/kafka."""

import socket

import pytest

from cheeper_contracts.kafka import topics
from write_api.kafka.topics import TopicAdmin


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
