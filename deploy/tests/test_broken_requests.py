"""The client's own mistakes: the gateway refuses them, and no replica sees them or is blamed for them."""

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from raw_http import CHUNKED, HEAD, send, trickle

from cheeper_local.testing import until
from cheeper_runtime.http_server import HEAD_BYTES

pytestmark = pytest.mark.proves(guarantee="callers")

LONG = HEAD + b"Content-Length: 90\r\n\r\n"
BROKEN = {
    "no size": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "no size after a whole document": CHUNKED + b"2\r\n{}\r\nzz\r\n\r\n",
    "a negative size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a huge size": CHUNKED + b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "an empty size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk that is longer than its size": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
}
CUT_OFF = {
    "half of the length": LONG + b"{}",
    "nothing of the length": LONG,
    "no last chunk": CHUNKED + b"2\r\n{}\r\n",
    "half a chunk": CHUNKED + b"9\r\n{}",
    "half a size": CHUNKED + b"2",
}


def requested(services):
    """Return how many requests the services got."""
    return sum(len(service.requests) for service in services)


def refused(response, status, code):
    """The response is an error in the API's form, and the last one on its connection."""
    body = response.json()
    assert (response.status, body["data"]["code"]) == (status, code)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["connection"] == "close"
    assert response.headers["x-message-id"] == str(uuid.UUID(body["meta"]["message_id"]))
    return body


@pytest.mark.parametrize("request_bytes", BROKEN.values(), ids=BROKEN)
def test_a_body_that_cannot_be_read_is_the_clients_error(client, writes, request_bytes):
    """A broken chunk is a 400, never a 503 that invites a repeat, and nothing of it reaches a service."""
    before = requested(writes)
    refused(send(client, request_bytes), 400, "malformed_json")
    assert requested(writes) == before


@pytest.mark.parametrize("request_bytes", CUT_OFF.values(), ids=CUT_OFF)
def test_a_body_that_ends_early_is_the_clients_error(client, writes, request_bytes):
    """A body that ends before its end is a 400, even if what arrived is a whole document, and reaches no service."""
    before = requested(writes)
    refused(send(client, request_bytes, half_close=True), 400, "malformed_json")
    assert requested(writes) == before


def test_broken_bodies_take_no_replica_from_others(start, serve):
    """While one client sends hundreds of broken bodies of every kind, another one is refused nothing, and both replicas
    go on getting its requests.
    """
    with serve("one") as one, serve("two") as two:
        services = f"127.0.0.1:{one.port} 127.0.0.1:{two.port}"
        with start(READ_API=services, WRITE_API=services) as client, ThreadPoolExecutor(4) as attackers:
            attacks = [
                attackers.submit(send, client, content, half_close=half_close)
                for _ in range(30)
                for kinds, half_close in ((BROKEN, False), (CUT_OFF, True))
                for content in kinds.values()
            ]
            statuses = {client.post("/cheep", content=b"{}").status_code for _ in range(50)}
            assert statuses == {200}
            assert {attack.result().status for attack in attacks} == {400}
            sizes = [request["size"] for service in (one, two) for request in service.requests]
            assert sizes == [2] * 50
            assert all(service.requests for service in (one, two))


def test_a_body_that_comes_too_slowly_is_refused(hasty, writes):
    """A whole request has a limited time, with a length or in chunks, silent or trickled."""
    before = requested(writes)
    with ThreadPoolExecutor(4) as senders:
        slow = [
            senders.submit(send, hasty, LONG + b"{}"),
            senders.submit(send, hasty, CHUNKED + b"2\r\n{}\r\n"),
            senders.submit(trickle, hasty, HEAD + b"Content-Length: 9999\r\n\r\n", b" ", 0.05),
            senders.submit(trickle, hasty, CHUNKED, b"1\r\n \r\n", 0.05),
        ]
        for each in slow:
            assert "within 1 s" in refused(each.result(), 408, "request_timeout")["data"]["message"]
    assert requested(writes) == before
    assert hasty.post("/cheep", content=b"{}").status_code == 200


def test_a_head_that_comes_too_slowly_ends_its_connection(hasty):
    """A client that never finishes the head of a request loses its connection, without a response."""
    assert trickle(hasty, b"GET /author/x HTTP/1.1\r\nHost: x\r\nX: ", b"x", 0.05).status == 0


@pytest.mark.parametrize(
    ("method", "body"),
    [
        (b"GET", b"Content-Length: 2\r\n\r\n{}"),
        (b"HEAD", b"Content-Length: 2\r\n\r\n{}"),
        (b"GET", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        (b"GET", b"Content-Length: 2\r\n\r\n"),
    ],
)
def test_a_query_has_no_body(hasty, reads, method, body):
    """The body of a GET or HEAD is refused, also if it never arrives, and no service sees the request."""
    before = requested(reads)
    response = send(hasty, method + b" /author/x HTTP/1.1\r\nHost: x\r\n" + body)
    assert response.status == 422
    if method == b"GET":
        assert refused(response, 422, "invalid")["data"]["fields"] == [{"field": "body", "message": "must be empty"}]
    assert requested(reads) == before
    assert hasty.get("/author/x", headers={"Content-Length": "0"}).status_code == 200


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /author/% HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /author/x HTTP/1.1\r\n\r\n", 400),
        (b"GET /author/x HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET /author/x HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET /author/x HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400),
        (b"POST /cheep HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /cheep HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        (b"POST /cheep HTTP/1.1\r\nHost: x\r\nExpect: something\r\nContent-Length: 2\r\n\r\n{}", 417),
        (b"GET /author/" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"POST /cheep HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET /author/x HTTP/9.9\r\nHost: x\r\n\r\n", 505),
    ],
)
def test_what_is_not_http_is_refused_in_plain_text(client, request_bytes, status):
    """A request that cannot be read as HTTP is refused before routing, in plain text, as docs/api.md lists it."""
    response = send(client, request_bytes)
    assert response.status == status
    assert response.headers["connection"] == "close"
    assert response.headers.get("content-type", "text/plain").startswith("text/plain")


@pytest.mark.parametrize("prefix", ["", "/chapter7"])
@pytest.mark.parametrize(
    "path", ["//author/x", "/author//x", "/./author/x", "/cheep/../author/x", "/author/%2e%2e/author/x"]
)
def test_no_path_is_cleaned_up(client, prefix, path):
    """A path with an empty part or dots does not exist, with the book's prefix and without it."""
    response = send(client, f"GET {prefix}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert (response.status, response.json()["data"]["code"]) == (404, "no_such_path")


@pytest.mark.parametrize(
    ("query", "escaped"),
    [
        (b"q=a;\xc3\xa9", "q=a%3B%C3%A9"),
        (b"x=\xc3\xa9;", "x=%C3%A9%3B"),
        (b"a=%zz&b=\xe9&c=1%26&d=a+b%2Bc", "a=%zz&b=%E9&c=1%26&d=a+b%2Bc"),
        (b"&&e&f==&g=%25&h=%3D\xff%3b%", "&&e&f==&g=%25&h=%3D%FF%3b%"),
        (b"\xc3\xa9", "%C3%A9"),
        (b"a={env.PATH}$1${1}\xc3\xa9", "a=%7Benv.PATH%7D%241%24%7B1%7D%C3%A9"),
        (b"a=1;b=%zz&{env.PATH}", "a=1;b=%zz&{env.PATH}"),
    ],
)
def test_a_raw_query_is_escaped_and_loses_nothing(client, reads, query, escaped):
    """Each byte of a query that is not ASCII is escaped; nothing is dropped or reordered, however odd it is."""
    path = f"/author/{uuid.uuid4()}"
    send(client, b"GET " + path.encode() + b"?" + query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert [request["path"] for one in reads for request in one.requests if request["path"].startswith(path)] == [
        f"{path}?{escaped}"
    ]


REFUSED = {
    "no_such_path": b"GET /secret-path?secret HTTP/1.1\r\nHost: secret\r\nSecret: secret\r\n",
    "method_not_allowed": b"SECRET /cheep?secret HTTP/1.1\r\nHost: secret\r\nSecret: secret\r\n",
    "body_too_large": HEAD + b"Secret: secret\r\nContent-Length: 99999\r\n",
    "malformed_json": HEAD + b"Secret: secret\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
    "invalid": b"GET /author/x?secret HTTP/1.1\r\nHost: secret\r\nContent-Length: 6\r\n\r\nsecret",
    "unavailable": b"DELETE /cheep/x?secret HTTP/1.1\r\nHost: secret\r\nMisbehave: hang up\r\nSecret: secret\r\n",
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_has_a_line_in_the_log(client, log_file, code):
    """The gateway logs each of its refusals once, with message id, code and reason, and none of what was sent."""
    head = REFUSED[code]
    head = head if b"\r\n\r\n" in head else head + b"Connection: close\r\n\r\n"
    message_id = send(client, head).json()["meta"]["message_id"]

    def lines():
        return [json.loads(line) for line in log_file.read_text().splitlines() if message_id in line]

    until(lines)
    (line,) = lines()
    assert (line["code"], line["message_id"]) == (code, message_id)
    assert line["path"][0] == "/"
    assert "secret" not in json.dumps({**line, "path": ""}).lower().replace('"method": "secret"', "")


def test_what_is_forwarded_has_no_line_in_the_log_of_the_gateway(client, log_file):
    """The services log what they get; the gateway does not repeat it."""
    message_id = client.get("/author/x").json()["meta"]["message_id"]
    refused_id = client.get("/nope").json()["meta"]["message_id"]
    until(lambda: refused_id in log_file.read_text())
    assert message_id not in log_file.read_text()


@pytest.mark.parametrize("start_of_request", [b"GET /" + b"x" * 20_000, b"X" * 20_000 + b" /cheep"])
def test_a_line_in_the_log_is_short(client, log_file, start_of_request):
    """However long a path or a method is, its line in the log is not."""
    response = send(client, start_of_request + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    message_id = response.json()["meta"]["message_id"]
    until(lambda: message_id in log_file.read_text())
    (line,) = [line for line in log_file.read_text().splitlines() if message_id in line]
    assert len(line) < 1000


def test_the_services_take_every_head_that_the_gateway_passes_on():
    """A head that only a service refuses would count as the failure of every replica: the gateway takes 4 KiB more than
    its limit, as Go does, and escapes a byte of a path or a query by three.
    """
    (kib,) = re.findall(r"max_header_size (\d+)KiB", (Path(__file__).parents[1] / "Caddyfile").read_text())
    assert 3 * (int(kib) + 4) * 1024 < HEAD_BYTES
