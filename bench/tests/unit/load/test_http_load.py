"""The load generator, against a server that responds at once."""

from __future__ import annotations

import os
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cheeper_bench.load import http_load
from cheeper_bench.load.http_line import request


@pytest.fixture
def server():
    """Answers at once; `asked` has for each connection how many requests came by it."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            made.asked[self.client_address] += 1
            self.send_response(503 if self.path == "/refused" else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as made:
        made.asked = Counter()
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_every_connection_is_used_in_its_turn(server):
    """The gateway closes one that sends nothing in its first seconds, and a server that is quick needs few of them."""
    plan = http_load.Plan(
        port=server.server_port,
        seconds=0.5,
        rate=100,
        connections=8,
        warm=0.0,
        requests=[("get", request("GET", "/"))],
    )
    seen = http_load.send(plan, tuple(sorted(os.sched_getaffinity(0))))
    assert server.asked.total() == len(seen.all) > 8
    assert len(server.asked) == 8
    assert max(server.asked.values()) * 4 <= server.asked.total()  # the last one used would take nearly all


@pytest.mark.parametrize("rate", [100, None])
def test_refused_requests_are_counted_beside_the_served_ones(server, rate):
    """A row reports them instead of being lost, and no latency of a quick refusal is in its figures."""
    requests = [("get", request("GET", path)) for path in ("/", "/refused")]
    plan = http_load.Plan(port=server.server_port, seconds=0.3, rate=rate, connections=2, warm=0.0, requests=requests)
    seen = http_load.send(plan, tuple(sorted(os.sched_getaffinity(0))))
    assert seen.refused.keys() == {503}
    assert abs(seen.refused[503] - len(seen.all)) <= 3
    assert seen.sent == server.asked.total()
