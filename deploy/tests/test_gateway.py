"""The gateway's own behaviour, with real Caddy and services that can be made to fail."""

import socket
import time
import uuid

import pytest

from cheeper_local.testing import until

SIZE = 64 * 1024


def new_id():
    return str(uuid.uuid4())


def refused(response, status, code):
    """Assert that the response is an error in the API's form. Return its body."""
    body = response.json()
    assert (response.status_code, body["data"]["code"]) == (status, code)
    assert body["data"]["message"]
    assert response.headers["content-type"] == "application/json"
    assert response.headers.get_list("x-message-id") == [body["meta"]["message_id"]]
    assert not {"server", "via", "x-powered-by"} & set(response.headers)
    uuid.UUID(body["meta"]["message_id"])
    return body


@pytest.mark.parametrize("prefix", ["", "/chapter7"])
@pytest.mark.parametrize(
    ("method", "side"),
    [("GET", "read"), ("HEAD", "read"), ("POST", "write"), ("PUT", "write"), ("PATCH", "write"), ("DELETE", "write")],
)
def test_queries_go_to_the_read_side_and_commands_to_the_write_side(client, reads, writes, prefix, method, side):
    """GET and HEAD are queries, all else are commands; the book's prefix is taken off, the query string kept."""
    path = f"/cheep/{new_id()}?a=1&b=%20"
    response = client.request(method, prefix + path)
    assert response.status_code == 200
    seen = [
        request for one in (reads if side == "read" else writes) for request in one.requests if request["path"] == path
    ]
    assert [request["method"] for request in seen] == [method]
    assert not {"server", "via"} & set(response.headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("prefix", ["", "/chapter7"])
def test_a_slash_at_the_end_is_as_none(client, reads, writes, prefix, method):
    """A service gets the path without it, whatever the method, and the query stays."""
    path = f"/cheep/{new_id()}"
    response = client.request(method, f"{prefix}{path}/?a=1")
    assert response.status_code == 200
    seen = [request["path"] for one in (*reads, *writes) for request in one.requests]
    assert f"{path}?a=1" in seen
    assert f"{path}/?a=1" not in seen


def test_queries_are_gzipped_for_whom_accepts_that(client):
    """A long response to a query is gzipped for whom accepts that alone; one to a command, and a stream, are not."""
    path, long = f"/cheep/{new_id()}", {"X-Long": "a" * 2_000}
    for accepted, encoding in (("gzip", "gzip"), ("identity", None), ("br", None)):
        response = client.get(path, headers={"Accept-Encoding": accepted, **long})
        assert response.headers.get("content-encoding") == encoding
        assert response.json()["data"]["path"] == path
    taken = {"Accept-Encoding": "gzip", **long}
    assert "content-encoding" not in client.get(f"/author/{new_id()}/timeline/stream", headers=taken).headers
    assert "content-encoding" not in client.post("/cheep", headers=taken).headers


@pytest.mark.parametrize(
    "path",
    [
        *("/nope", "/nope/", "/author//", "/author//timeline", "/author/x/y/z", "/chapter7", "/chapter7/nope"),
        *("/chapter8/author", "/CHAPTER7/author", "/chapter7/chapter7/author", "/Author", "/health/live"),
        *("/health/ready", "/chapter7/", "/metrics", "/schema", "/schema/openapi.json", "/%2e%2e/etc", "/requests"),
    ],
)
def test_no_other_path_is_passed_on(client, path):
    """A path outside the table does not exist, and neither do the services' own pages."""
    for method in ("GET", "POST", "OPTIONS"):
        refused(client.request(method, path), 404, "no_such_path")
    assert client.head(path).status_code == 404


def test_a_query_string_of_raw_utf_8_is_passed_on_escaped(client, reads):
    """Curl sends what it is given: the service gets the same query, in the only form that HTTP knows; others stay."""
    with socket.create_connection((client.base_url.host, client.base_url.port)) as raw:
        raw.sendall("GET /author?username=zoë&x=a+b&x=%26 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert raw.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
    (seen,) = [
        request["path"] for one in reads for request in one.requests if request["path"].startswith("/author?username=")
    ]
    assert seen == "/author?username=zo%C3%AB&x=a+b&x=%26"


def test_no_response_is_sniffed_and_none_of_the_gateway_s_own_is_stored(client):
    """A service's response keeps its own Cache-Control."""
    own = [client.get("/nope"), client.post("/health"), client.get("/health")]
    assert {response.headers.get("cache-control") for response in own} == {"no-store"}
    forwarded = [client.get("/author/x"), client.post("/cheep")]
    assert {response.headers.get("cache-control") for response in forwarded} == {None}
    sniffed = {tuple(response.headers.get_list("x-content-type-options")) for response in (*own, *forwarded)}
    assert sniffed == {("nosniff",)}
    assert client.options("/cheep").headers["x-content-type-options"] == "nosniff"


def test_a_client_s_etag_reaches_the_service(client, reads):
    """Only the service knows whether the client has its response already."""
    path = f"/author/{new_id()}"
    client.get(path, headers={"If-None-Match": 'W/"a"'})
    (seen,) = [request["headers"] for one in reads for request in one.requests if request["path"] == path]
    assert seen["if-none-match"] == 'W/"a"'


@pytest.mark.parametrize("method", ["FOO", "PROPFIND", "TRACE"])
def test_a_method_that_no_path_has_is_refused(client, method):
    """Also one that would be no HTTP to the services."""
    response = client.request(method, "/cheep")
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST, OPTIONS"


def test_the_gateway_gives_each_request_its_id(client):
    """A client's own X-Message-Id does not pass; the one that the service gets is new each time."""
    ids = {client.get("/author/x", headers={"X-Message-Id": new_id()}).json()["meta"]["message_id"] for _ in range(9)}
    assert len({uuid.UUID(one) for one in ids}) == 9


def test_a_message_id_contains_its_time(client):
    """The first twelve digits of the gateway's ids are the time in tens of milliseconds, in decimal."""
    before = time.time_ns() // 10_000_000
    message_id = uuid.UUID(client.get("/author/x").json()["meta"]["message_id"])
    assert message_id.version == 8
    assert before <= int(message_id.hex[:12]) <= time.time_ns() // 10_000_000


@pytest.mark.parametrize(("size", "status"), [(SIZE, 200), (SIZE + 1, 413), (SIZE * 20, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_are_limited(client, size, status, chunked):
    """A body may have 64 KiB, also where it does not say so at first; more is refused in the API's form."""
    content = (bytes(100) for _ in range(size // 100)) if chunked else bytes(size)
    if chunked:
        content = (part for part in (bytes(size // 2), bytes(size - size // 2)))
    response = client.post("/cheep", content=content)
    if status == 200:
        assert response.json()["data"]["size"] == size
    else:
        refused(response, 413, "body_too_large")


def test_a_command_that_was_sent_is_not_sent_again(client, writes):
    """A service that fails amid a command leaves its outcome unknown: 503, with the id of the command."""
    for key in (None, new_id()):
        mark = new_id()
        headers = {"Misbehave": "hang up", "Mark": mark, **({"Idempotency-Key": key} if key else {})}
        response = client.post("/cheep", content=b"{}", headers=headers)
        body = refused(response, 503, "unavailable")
        assert response.headers["retry-after"] == "1"
        assert "Idempotency-Key" in body["data"]["message"]
        (seen,) = [request for one in writes for request in one.requests if request["headers"].get("mark") == mark]
        runs_under = seen["headers"].get("idempotency-key") or seen["headers"]["x-message-id"]
        assert runs_under == body["meta"]["message_id"]
        assert key in (None, runs_under)


def test_a_key_that_is_no_uuid_is_no_message_id(client):
    """The gateway's own responses hold nothing that a client sent but a UUID."""
    response = client.post("/cheep", headers={"Misbehave": "hang up", "Idempotency-Key": '","x":"'})
    refused(response, 503, "unavailable")


def test_a_query_is_sent_to_another_replica(client):
    """If one replica fails amid a query, another one responds."""
    responses = [client.get("/author/x", headers={"Misbehave": "read-1 hang up"}) for _ in range(6)]
    assert [response.status_code for response in responses] == [200] * 6


def test_a_replica_that_is_down_is_left_out(start, serve, port):
    """Commands and queries go on while one of two replicas is down, and none is lost."""
    with serve("up") as up:
        both = f"127.0.0.1:{port} 127.0.0.1:{up.port}"
        with start(READ_API=both, WRITE_API=both) as client:
            for _ in range(20):
                assert client.post("/cheep", content=b"{}").status_code == 200
                assert client.get("/author/x").status_code == 200


def test_a_service_that_is_down_is_unavailable_until_it_returns(start, serve, port):
    """With no replica at all the response is 503 with Retry-After, and the first that comes is found."""
    with serve("read") as read, start(READ_API=f"127.0.0.1:{read.port}", WRITE_API=f"127.0.0.1:{port}") as client:
        response = client.post("/follow", content=b"{}")
        refused(response, 503, "unavailable")
        assert response.headers["retry-after"] == "1"
        assert client.get("/author/x").status_code == 200
        health = client.get("/health")
        assert (health.status_code, health.headers["retry-after"]) == (503, "1")
        assert {name: state["ok"] for name, state in health.json()["data"].items()} == {
            "read-api": True,
            "write-api": False,
        }
        with serve("write", port):
            until(lambda: client.post("/follow", content=b"{}").status_code == 200)
            until(lambda: client.get("/health").status_code == 200)


def test_health_is_that_of_both_services(start, serve, port):
    """GET /health reports for each service whether it is ready, and nothing else."""
    with serve("read") as read, serve("write") as write:
        for read_port, write_port in ((read.port, write.port), (port, write.port), (read.port, port), (port, port)):
            with start(READ_API=f"127.0.0.1:{read_port}", WRITE_API=f"127.0.0.1:{write_port}") as client:
                health = client.get("/chapter7/health")
                expected = {"read-api": read_port != port, "write-api": write_port != port}
                assert {name: state["ok"] for name, state in health.json()["data"].items()} == expected
                assert health.status_code == (200 if all(expected.values()) else 503)
                assert health.json()["meta"]["message_id"] == health.headers["x-message-id"]
                assert client.head("/health").status_code == health.status_code
                refused(client.post("/health"), 405, "method_not_allowed")
        with start(READ_API=f"127.0.0.1:{read.port}", WRITE_API=f"127.0.0.1:{write.port}") as client:
            client.get("/author/x", headers={"Misbehave": "sick"})
            health = client.get("/health")
            assert health.status_code == 503
            assert health.json()["data"]["read-api"] == {"ok": False, "why": "is not ready"}


def test_health_reports_that_reads_are_not_updated(start, serve):
    """A write side that is ready, and whose events are not sent, still takes commands; the health page is 503."""
    with (
        serve("read") as read,
        serve("write") as write,
        start(READ_API=f"127.0.0.1:{read.port}", WRITE_API=f"127.0.0.1:{write.port}") as client,
    ):
        assert client.get("/health").status_code == 200
        client.post("/cheep", content=b"{}", headers={"Misbehave": "warn"})
        health = client.get("/health")
        assert health.status_code == 503
        assert "reads are not updated" in health.json()["data"]["write-api"]["why"]
        assert client.post("/cheep", content=b"{}").status_code == 200


@pytest.mark.parametrize("origin", ["https://a.example", "https://b.example"])
def test_allowed_origins_are_let_in(client, origin):
    """A page of an allowed origin may send a token, a key and an ETag, and read the id, also of an error."""
    for response in (client.get("/author/x", headers={"Origin": origin}), client.get("/x", headers={"Origin": origin})):
        assert response.headers["access-control-allow-origin"] == origin
        assert (
            response.headers["access-control-expose-headers"]
            == "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, X-Message-Id"
        )
        assert response.headers["vary"].split(", ")[-1] == "Origin"
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = client.options("/chapter7/cheep", headers=asks)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight.headers["allow"] == "POST, OPTIONS"
    assert preflight.headers["access-control-allow-methods"] == "POST, OPTIONS"
    allowed = preflight.headers["access-control-allow-headers"]
    assert allowed == "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"


@pytest.mark.parametrize("origin", ["https://c.example", "null", "https://a.example https://b.example", "", None])
def test_other_origins_are_not(client, origin):
    """Any other page gets no CORS headers, and neither does a client that is no page."""
    headers = {} if origin is None else {"Origin": origin}
    for response in (client.get("/author/x", headers=headers), client.options("/cheep", headers=headers)):
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert response.headers["vary"].split(", ")[-1] == "Origin"


def test_no_origin_is_allowed_by_default(start, reads, writes):
    """Without ALLOWED_ORIGINS there is no CORS."""
    sides = {"READ_API": f"127.0.0.1:{reads[0].port}", "WRITE_API": f"127.0.0.1:{writes[0].port}"}
    with start(**sides, ALLOWED_ORIGINS="") as client:
        for headers in ({"Origin": "https://a.example"}, {"Origin": ""}, {}):
            response = client.options("/cheep", headers=headers)
            assert not [name for name in response.headers if name.startswith("access-control")]


def test_replicas_are_found_by_name(start, serve, port):
    """With UPSTREAMS=dns every address of a name is a replica, and the health page reports one that is unavailable."""

    def healthy():
        return [state["ok"] for state in client.get("/health").json()["data"].values()]

    with serve("read") as read:
        with start(UPSTREAMS="dns", READ_API=f"localhost {read.port}", WRITE_API=f"localhost {port}") as client:
            assert client.get("/author/x").json()["data"]["name"] == "read"
            refused(client.post("/cheep"), 503, "unavailable")
            assert healthy() == [True, False]
        with start(UPSTREAMS="dns", READ_API=f"localhost {read.port}", WRITE_API="no-such-name.invalid 1") as client:
            refused(client.post("/cheep"), 503, "unavailable")
            # Caddy looks one name up at a time, so a name server that is slow to refuse one holds the other up.
            until(lambda: healthy() == [True, False])
