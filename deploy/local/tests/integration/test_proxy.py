"""A proxy before an echo: what it passes, slows, stalls and cuts."""

import socket
import socketserver
import threading
import time
from contextlib import closing

import pytest

from cheeper_local.system.ports import HOST
from cheeper_local.testing import until

pytestmark = pytest.mark.proves(guarantee="transient-faults")

PIECE = 10_000


class Echo(socketserver.BaseRequestHandler):
    """A server that sends back what it receives."""

    def handle(self):
        while piece := self.request.recv(65_536):
            self.request.sendall(piece)


@pytest.fixture
def proxied(proxy_to):
    """A proxy, and a connection through it."""
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        proxy, url = proxy_to(f"echo://{HOST}:{server.server_address[1]}")
        assert url == f"echo://{proxy.address}"
        with closing(socket.create_connection((HOST, proxy.port), 10)) as connection:
            yield proxy, connection
        server.shutdown()


def back(connection, count=PIECE):
    """Receive a number of bytes. Return them and the seconds that they took."""
    began, found = time.monotonic(), b""
    while len(found) < count and (piece := connection.recv(count - len(found))):
        found += piece
    return found, time.monotonic() - began


def test_a_proxy_passes_everything_in_order(proxied):
    """A proxy passes every byte in both directions, in order, and counts it."""
    proxy, connection = proxied
    sent = bytes(range(250)) * 40
    connection.sendall(sent)
    assert back(connection)[0] == sent
    until(lambda: proxy.passed == 2 * PIECE)


@pytest.mark.parametrize(
    ("slow", "least"), [({"delay": 0.3}, 0.6), ({"delay_back": 0.3}, 0.3), ({"rate": PIECE * 2}, 1.0)]
)
def test_a_proxy_slows_each_direction(proxied, slow, least):
    """With a delay or a rate, all bytes arrive, and not before their time."""
    proxy, connection = proxied
    for name, value in slow.items():
        setattr(proxy, name, value)
    connection.sendall(b"x" * PIECE)
    found, seconds = back(connection)
    assert found == b"x" * PIECE
    assert seconds >= least


def test_a_proxy_that_stalls_keeps_what_it_has(proxied):
    """No byte passes a stalled proxy, and all pass afterwards."""
    proxy, connection = proxied
    proxy.stalled = True
    connection.sendall(b"x" * PIECE)
    connection.settimeout(0.3)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    assert proxy.passed == 0
    proxy.stalled = False
    connection.settimeout(10)
    assert back(connection)[0] == b"x" * PIECE


def test_a_proxy_that_cuts_takes_the_next_connection(proxied):
    """A cut ends the open connections, and the next connection is served."""
    proxy, connection = proxied
    connection.sendall(b"x")
    assert connection.recv(1) == b"x"
    proxy.cut()
    assert connection.recv(1) == b""
    with closing(socket.create_connection((HOST, proxy.port), 10)) as another:
        another.sendall(b"y")
        assert another.recv(1) == b"y"
