"""The whole process: its message ids, its waits, its end, and unavailable stores."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from read_api_layout import Hot, new_id
from read_api_process import lines, running

from cheeper_local.testing import until


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def test_the_gateway_s_message_id_is_taken(api):
    """A request's X-Message-Id is its message id where it is a UUID, in lower case."""
    given = new_id()
    for sent, taken in ((given.upper(), given), ("me", None), ("x" * 36, None)):
        response = api.get(f"/author/{new_id()}/timeline", headers={"X-Message-Id": sent})
        assert response.headers.get_list("x-message-id") == [response.json()["meta"]["message_id"]]
        assert (response.headers["x-message-id"] == given) == (taken == given)


def test_a_client_that_has_the_response_gets_no_body(api, shared_hot: Hot):
    """The response is 304 with the same ETag, and the next one on the connection is whole."""
    author = new_id()
    shared_hot.author(author, username="bob", followers=3)
    path = f"/author/{author}/followers-counter"
    whole = api.get(path)
    known = api.get(path, headers={"If-None-Match": whole.headers["etag"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", whole.headers["etag"])
    assert api.get(path).json()["data"] == whole.json()["data"]


def test_after_waits_for_the_record(api, shared_hot: Hot):
    """A query waits until the command's record is there, and the response is stale if it never comes."""
    author, message = new_id(), new_id()
    shared_hot.author(author, username="bob")
    began = time.monotonic()
    stale = api.get(f"/author/{author}/followers-counter", params={"after": message, "timeout": "0.2"})
    assert stale.json()["meta"]["stale"] is True
    assert time.monotonic() - began >= 0.2
    shared_hot.command(message, key=author, sequence=1)
    assert "stale" not in api.get(f"/author/{author}/followers-counter", params={"after": message}).json()["meta"]
    unknown = api.get(f"/author/{new_id()}", params={"after": message, "timeout": "0.1"})
    assert (unknown.status_code, unknown.json()["meta"]["stale"]) == (404, True)


def test_a_wait_ends_when_its_client_disconnects(shared):
    """The wait ends with the connection."""
    api, log = shared
    with pytest.raises(httpx.ReadTimeout):
        api.get(f"/author/{new_id()}/timeline", params={"after": new_id(), "timeout": "10"}, timeout=0.3)
    until(lambda: any(line.get("status") == 499 for line in lines(log)))


def test_a_waiting_client_gets_its_response_when_the_process_ends(log, stores):
    """SIGTERM lets waiting requests have what is there, and the exit code is 0."""
    with running(log, **stores) as (client, process):
        address = (client.base_url.host, client.base_url.port)
        with socket.create_connection(address) as waiting:
            path = f"/author/{new_id()}/timeline?after={new_id()}&timeout=10"
            waiting.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.get("/health/live")  # by now the process has read the other connection, too
            process.send_signal(signal.SIGTERM)
            waiting.settimeout(8)
            assert waiting.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.extended  # test_mongo.py and test_redis.py, tests-e2e's test_outages.py have it
def test_an_unavailable_store_leaves_the_other_s_queries(log, own_redis, own_mongo):
    """Queries of an unavailable store are 503 with Retry-After, the others work, and all work after its return."""
    with running(log, REDIS_URL=own_redis.url, MONGO_URL=own_mongo.url) as (client, _):
        queries = {"redis": f"/author/{new_id()}/timeline", "mongo": f"/cheep/{new_id()}"}
        well = {"redis": 200, "mongo": 404}
        for name, server in (("redis", own_redis), ("mongo", own_mongo)):
            until(lambda: client.get("/health/ready").status_code == 200)
            server.stop()
            for other, path in queries.items():
                response = client.get(path)
                if other == name:
                    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
                    assert response.json()["data"]["code"] == "unavailable"
                    assert "127.0.0.1" not in response.text
                else:
                    assert response.status_code == well[other]
            until(lambda: client.get("/health/ready").status_code == 503)
            ready = client.get("/health/ready")
            assert {need: state["ok"] for need, state in ready.json()["data"].items()} == {
                need: need != name for need in queries
            }
            server.start()
            until(lambda name=name: client.get(queries[name]).status_code == well[name])


def test_it_starts_before_its_stores(log, own_redis, mongo_url):
    """Start order does not matter: the process waits, reports for what, and is ready once all are there."""
    own_redis.stop()
    with running(log, REDIS_URL=own_redis.url, MONGO_URL=mongo_url) as (client, _):
        until(lambda: client.get("/health/ready").json()["data"]["redis"]["why"] != "starting")
        assert client.get("/health/ready").json()["data"]["redis"] == {"ok": False, "why": "does not answer"}
        until(lambda: any(line.get("event") == "waiting" for line in lines(log)))
        own_redis.start()
        until(lambda: client.get("/health/ready").status_code == 200)


def test_a_wrong_setting_ends_it_with_2():
    """The process names the variable and does not start."""
    env = {name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "MONGO_URL"}}
    done = subprocess.run(
        [sys.executable, "-m", "read_api", "http"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "read-api: REDIS_URL is not set\n")
