"""The readiness of processes, each a real server on this machine."""

import json
import socket
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cheeper_runtime.settings import SettingError
from inspector.settings import Settings, from_env
from inspector.sources.processes import lacks_of, read_processes

ENVIRONMENT = {
    "INSPECTOR": "on",
    "DATABASE_URL": "postgresql://c:c@localhost/c",
    "REDIS_URL": "redis://localhost",
    "MONGO_URL": "mongodb://localhost/?replicaSet=rs0",
    "KAFKA_BOOTSTRAP_SERVERS": "localhost:9092",
}


@contextmanager
def process(needs):
    """A process that has these needs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.path == "/health/ready"
            body = json.dumps({"data": needs, "meta": {}}).encode()
            self.send_response(200 if all(need["ok"] for need in needs.values()) else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_each_process_says_what_it_lacks():
    """A process that has all lacks nothing, another one what its readiness says, and a dead one responds to nobody."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{free.getsockname()[1]}"
        late = {"postgres": {"ok": True}, "kafka": {"ok": False, "why": "does not answer"}}
        with process({"postgres": {"ok": True}}) as ready, process(late) as waiting:
            found = read_processes({"worker": [ready, waiting], "relay": [dead], "projector": ["http://no.invalid:1"]})
    assert [(each.name, each.role, each.lacks) for each in found] == [
        ("worker-1", "worker", None),
        ("worker-2", "worker", ("kafka: does not answer",)),
        ("relay", "relay", ("It does not respond",)),
        ("projector", "projector", ("It does not respond",)),
    ]


def test_a_page_that_is_no_readiness_is_a_lack():
    """A page in another form is a lack, and one without needs is none."""
    assert lacks_of(404, b"<h1>Not found</h1>") == ("Its readiness cannot be read: status 404",)
    assert lacks_of(200, b'{"data": {}}') is None


def test_the_setting():
    """Each role has addresses with a port, and anything else is refused by the setting's name."""
    found = from_env({**ENVIRONMENT, "PROCESSES": '{"worker": ["http://worker:8080"]}'}, Settings)
    assert found.processes == {"worker": ("http://worker:8080",)}
    for wrong in ("x", "[]", '{"worker": "http://worker:8080"}', '{"worker": ["worker:8080"]}', '{"w": ["http://w"]}'):
        with pytest.raises(SettingError, match="PROCESSES"):
            from_env({**ENVIRONMENT, "PROCESSES": wrong}, Settings)
