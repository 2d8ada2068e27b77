"""The client that asks about topics. What it is told by a broker: integration."""

import socket

import pytest

from cheeper_contracts import topics
from write_api.kafka.topics import TopicAdmin


def test_questions_share_a_client_until_one_fails():
    """A new client for each question would connect each time, and its first question may wait until it is too late.

    Breaks where `ask` takes a client that has no events waiting, and so is false, for none.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:  # or else the client has an error to tell, and is true
        admin = TopicAdmin(f"127.0.0.1:{silent.getsockname()[1]}", topics.EVENTS, "")
        first = admin.request(lambda client: client)

        assert admin.request(lambda client: client) is first
        with pytest.raises(ZeroDivisionError):
            admin.request(lambda _: 1 / 0)
        assert admin.request(lambda client: client) is not first
