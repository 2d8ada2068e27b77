"""The gateway in front of identity: its paths lead there alone, and without it they do not exist."""

import signal

import pytest

REQUESTS = [
    ("POST", "/account"),
    ("PUT", "/account/password"),
    ("POST", "/session"),
    ("DELETE", "/session"),
    ("POST", "/session/external"),
    ("PUT", "/session/external"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/openid-configuration"),
]


def body_of(method):
    return None if method == "GET" else b"{}"


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_without_identity_there_are_no_such_paths(client, reads, writes, method, path):
    """With AUTH=open, or another issuer, its paths are as unknown as any other."""
    response = client.request(method, path, content=body_of(method))
    assert (response.status_code, response.json()["data"]["code"]) == (404, "no_such_path")
    assert [request for one in (*reads, *writes) for request in one.requests if request["path"] == path] == []


@pytest.mark.parametrize("off", [{"AUTH": "open"}, {"OTHER_ISSUERS": "named"}], ids=["open", "other issuers"])
def test_where_its_tokens_count_for_nothing_identity_has_no_paths(start, serve, off):
    """In docker-compose.yaml it always has an address, which decides nothing there."""
    with (
        serve("identity") as identity,
        start(READ_API="127.0.0.1:1", WRITE_API="127.0.0.1:1", IDENTITY=f"127.0.0.1:{identity.port}", **off) as client,
    ):
        for method, path in REQUESTS:
            response = client.request(method, path, content=body_of(method))
            assert (response.status_code, response.json()["data"]["code"]) == (404, "no_such_path")
        assert identity.requests == []


def test_identity_gets_its_requests_and_nobody_else_does(start, serve, port):
    """A replica that cannot be reached is skipped; if all are, a password is sent to no other service."""
    with (
        serve("identity") as identity,
        serve("other") as other,
        start(
            READ_API=f"127.0.0.1:{other.port}",
            WRITE_API=f"127.0.0.1:{other.port}",
            IDENTITY=f"127.0.0.1:{port} 127.0.0.1:{identity.port}",
        ) as client,
    ):
        wanted = [*REQUESTS, *((method, f"/chapter7{path}") for method, path in REQUESTS)]
        for method, path in wanted:
            headers = {"X-Client-Address": "6.6.6.6"}
            response = client.request(method, path, content=body_of(method), headers=headers)
            assert response.json()["data"]["headers"]["x-client-address"] == "127.0.0.1"
        assert [(one["method"], one["path"]) for one in identity.requests] == [*REQUESTS, *REQUESTS]
        assert client.get("/cheep/1").json()["data"]["name"] == "other"
        identity.signal(signal.SIGKILL)
        for method, path in (("POST", "/session"), ("GET", "/.well-known/jwks.json")):
            response = client.request(method, path, content=body_of(method))
            assert (response.status_code, response.json()["data"]["code"]) == (503, "unavailable")
        assert [one["path"] for one in other.requests] == ["/cheep/1"]
