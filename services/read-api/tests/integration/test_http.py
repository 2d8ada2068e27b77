"""The whole process, run as `python -m read_api http`."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import msgspec
import pytest
import redis
from read_api_layout import Hot, new_id

from cheeper_contracts import views
from cheeper_local.testing import until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(log, **environ):
    """A read-api and a client of it."""
    port = free_port()
    env = {**os.environ, "LOG_FORMAT": "json", "PORT": str(port), **environ}
    with (
        log.open("wb") as out,
        subprocess.Popen([sys.executable, "-m", "read_api", "http"], env=env, stdout=out, stderr=out) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
    ):
        try:
            until(lambda: answers(client), 20)
            yield client, process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def answers(client):
    try:
        return client.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture(scope="module")
def stores(servers):
    """The environment of the read-api that the tests of this module share."""
    return {
        "REDIS_URL": servers.shared("redis").url,
        "REDIS_PREFIX": f"t{new_id()}:",
        "MONGO_URL": servers.shared("mongo").url,
        "MONGO_DATABASE": f"t{new_id()}",
    }


@pytest.fixture
def hot(stores):
    """Redis, to lay data into; no test reads another's authors."""
    with redis.Redis.from_url(stores["REDIS_URL"]) as client:
        yield Hot(client, stores["REDIS_PREFIX"])


@pytest.fixture(scope="module")
def shared(stores, tmp_path_factory):
    """A read-api that tests share: a client and its log."""
    log = tmp_path_factory.mktemp("read-api") / "log"
    with running(log, **stores) as (client, _):
        yield client, log


@pytest.fixture
def api(shared):
    """A client of the shared read-api."""
    return shared[0]


def lines(log):
    return [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]


def test_the_book_s_counter(api, hot: Hot, shared):
    """The counter is spelled as the book spells it, and its id is in the answer, the header and the log."""
    author = new_id()
    hot.author(author, username="bob", followers=2)
    answer = api.get(f"/author/{author.upper()}/followers-counter")
    body = answer.json()
    assert body["data"] == {"authorId": author, "authorUsername": "bob", "numberOfFollowers": 2}
    assert set(body["meta"]) == {"message_id"}
    assert answer.headers["x-message-id"] == body["meta"]["message_id"]
    assert "server" not in answer.headers
    until(lambda: any(line.get("message_id") == body["meta"]["message_id"] for line in lines(shared[1])), 5)


def test_a_page_shows_records_as_they_are_stored(api, hot: Hot):
    """A timeline's cheeps are the records, any text in them, with a cursor only where there is more."""
    reader, author = new_id(), new_id()
    entries = sorted((views.pack_entry(date, new_id()) for date in range(3)), reverse=True)
    for entry in entries:
        hot.record(entry, author, 'a "quote", é, 👋\n')
    hot.replace(hot.key(views.TIMELINE, reader), entries)
    first = api.get(f"/author/{reader}/timeline", params={"size": 2}).json()
    assert [cheep["cheep_message"] for cheep in first["data"]["cheeps"]] == ['a "quote", é, 👋\n'] * 2
    assert set(first["data"]["cheeps"][0]) == {
        *("cheep_id", "cheep_date", "cheep_message", "author_id", "author_username", "in_reply_to", "edited_at")
    }
    last = api.get(f"/author/{reader}/timeline", params={"size": 2, "cursor": first["meta"]["next_cursor"]}).json()
    assert len(last["data"]["cheeps"]) == 1
    assert "next_cursor" not in last["meta"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/author/{id}/followers-counter", 404, "author_not_found", None),
        ("GET", "/author/{id}", 404, "author_not_found", None),
        ("GET", "/cheep/{id}", 404, "cheep_not_found", None),
        ("GET", "/cheep/{id}/", 404, "no_such_path", None),
        ("GET", "/author//timeline", 404, "no_such_path", None),
        ("GET", "/nope", 404, "no_such_path", None),
        ("GET", "/follow", 405, "method_not_allowed", "POST, OPTIONS"),
        ("POST", "/cheep/{id}", 405, "method_not_allowed", "GET, HEAD, OPTIONS"),
        ("GET", "/cheep/me", 422, "invalid", None),
        ("GET", "/author/{id}/timeline?size=x", 422, "invalid", None),
    ],
)
def test_problems_have_their_form(api, method, path, status, code, allow):
    """Status, code, one sentence, the message id, and Allow where it belongs; HEAD answers as GET without a body."""
    path = path.format(id=new_id())
    answer = api.request(method, path)
    body = answer.json()
    assert (answer.status_code, body["data"]["code"], answer.headers.get("allow")) == (status, code, allow)
    assert body["data"]["message"]
    assert body["meta"]["message_id"] == answer.headers["x-message-id"]
    if method == "GET":
        head = api.head(path)
        assert (head.status_code, head.content) == (status, b"")
        assert head.headers["content-length"] == answer.headers["content-length"]


def test_the_gateway_s_message_id_is_taken(api):
    """A request's X-Message-Id is its message id where it is a UUID, in lower case."""
    given = new_id()
    for sent, taken in ((given.upper(), given), ("me", None), ("x" * 36, None)):
        answer = api.get(f"/author/{new_id()}/timeline", headers={"X-Message-Id": sent})
        assert answer.headers.get_list("x-message-id") == [answer.json()["meta"]["message_id"]]
        assert (answer.headers["x-message-id"] == given) == (taken == given)


def test_after_waits_for_the_record(api, hot: Hot):
    """A query waits until the command's record is there, and says stale where it never comes."""
    author, message = new_id(), new_id()
    hot.author(author, username="bob")
    began = time.monotonic()
    stale = api.get(f"/author/{author}/followers-counter", params={"after": message, "timeout": "0.2"})
    assert stale.json()["meta"]["stale"] is True
    assert 0.2 <= time.monotonic() - began < 5
    hot.command(message, key=author, sequence=1)
    assert "stale" not in api.get(f"/author/{author}/followers-counter", params={"after": message}).json()["meta"]
    unknown = api.get(f"/author/{new_id()}", params={"after": message, "timeout": "0.1"})
    assert (unknown.status_code, unknown.json()["meta"]["stale"]) == (404, True)


def test_a_client_that_goes_away_is_not_waited_for(shared):
    """The wait ends with the connection."""
    api, log = shared
    with pytest.raises(httpx.ReadTimeout):
        api.get(f"/author/{new_id()}/timeline", params={"after": new_id(), "timeout": "10"}, timeout=0.3)
    until(lambda: any(line.get("status") == 499 for line in lines(log)), 5)


def test_a_waiting_client_has_its_answer_when_the_process_ends(log, stores):
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


def test_one_store_away_leaves_the_other_s_queries(log, own_redis, own_mongo):
    """What needs the store that is away is 503 with Retry-After, the rest goes on, and all is well after its return."""
    with running(log, REDIS_URL=own_redis.url, MONGO_URL=own_mongo.url) as (client, _):
        queries = {"redis": f"/author/{new_id()}/timeline", "mongo": f"/cheep/{new_id()}"}
        well = {"redis": 200, "mongo": 404}
        for name, server in (("redis", own_redis), ("mongo", own_mongo)):
            until(lambda: client.get("/health/ready").status_code == 200, 20)
            server.stop()
            for other, path in queries.items():
                answer = client.get(path)
                if other == name:
                    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
                    assert answer.json()["data"]["code"] == "unavailable"
                    assert "127.0.0.1" not in answer.text
                else:
                    assert answer.status_code == well[other]
            ready = client.get("/health/ready")
            assert ready.status_code == 503
            assert {need: state["ok"] for need, state in ready.json()["data"].items()} == {
                need: need != name for need in queries
            }
            server.start()
            until(lambda name=name: client.get(queries[name]).status_code == well[name], 20)


def test_it_starts_before_its_stores(log, own_redis, own_mongo):
    """Start order does not matter: the process waits, says for what, and is ready once all are there."""
    own_redis.stop()
    with running(log, REDIS_URL=own_redis.url, MONGO_URL=own_mongo.url) as (client, _):
        assert client.get("/health/ready").json()["data"]["redis"] == {"ok": False, "why": "does not answer"}
        until(lambda: any(line.get("event") == "waiting for need" for line in lines(log)), 5)
        own_redis.start()
        until(lambda: client.get("/health/ready").status_code == 200, 20)


def test_a_wrong_setting_ends_it_with_2():
    """The process names the variable and does not start."""
    env = {name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "MONGO_URL"}}
    done = subprocess.run(
        [sys.executable, "-m", "read_api", "http"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "read-api: REDIS_URL is not set\n")
