"""The gateway's own behaviour: paths and methods, CORS, health, and its own errors in the API's form."""

import uuid

import pytest

from cheeper_e2e.authors import expect_error, new_id

READ = {"GET", "HEAD", "OPTIONS"}
METHODS = {
    "/author": READ | {"POST"},
    "/author/{}": READ | {"PATCH"},
    "/author/{}/email": {"PUT", "OPTIONS"},
    "/author/{}/followers-counter": READ,
    "/author/{}/followers": READ,
    "/author/{}/following": READ,
    "/author/{}/following/{}": {"DELETE", "OPTIONS"},
    "/author/{}/muted/{}": {"PUT", "DELETE", "OPTIONS"},
    "/author/{}/blocked/{}": {"PUT", "DELETE", "OPTIONS"},
    "/author/{}/timeline": READ,
    "/author/{}/cheeps": READ,
    "/author/{}/notifications": READ,
    "/author/{}/notifications/read": {"PUT", "OPTIONS"},
    "/follow": {"POST", "OPTIONS"},
    "/cheep": {"POST", "OPTIONS"},
    "/cheep/{}": READ | {"PATCH", "DELETE"},
    "/cheep/{}/answer": {"POST", "OPTIONS"},
    "/cheep/{}/answers": READ,
    "/search": READ,
    "/search/authors": READ,
    "/command/{}": READ,
}
ORIGIN = "https://app.example"


@pytest.mark.parametrize("path", METHODS)
@pytest.mark.parametrize("prefix", ["", "/chapter7"])
async def test_other_methods_are_refused_with_those_that_are_allowed(client, prefix, path):
    """A method that a path does not take is 405, and Allow names those of both services."""
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - METHODS[path]:
        reply = await client.request(method, prefix + path.format(new_id(), new_id()))
        assert {name.strip() for name in reply.headers["allow"].split(",")} == METHODS[path], reply.curl
        if method == "HEAD":
            assert (reply.status, reply.raw) == (405, b"")
        else:
            expect_error(reply, 405, "method_not_allowed")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/author/x/y/z",
        "/chapter7",
        "/chapter7/nope",
        "/chapter8/author",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/schema",
        "/%2e%2e/etc",
    ],
)
async def test_other_paths_do_not_exist(client, method, path):
    """A path that is not the API's is 404, whatever the method; the services' own pages are not passed on."""
    expect_error(await client.request(method, path), 404, "no_such_path")


async def test_every_response_has_an_id(client):
    """Errors too carry a message id, the same in body and header, another each time."""
    replies = [await client.request("GET", "/nope") for _ in range(2)]
    replies += [await client.request("DELETE", "/cheep"), await client.author(new_id())]
    found = [reply.message_id for reply in replies]
    assert [reply.headers["x-message-id"] for reply in replies] == found
    assert len({uuid.UUID(one) for one in found}) == len(found)


async def test_health_reports_both_services(client):
    """GET /health on the gateway is 200 where both services are ready."""
    reply = await client.request("GET", "/health")
    assert reply.status == 200
    assert reply.data


async def test_the_gateway_responds_to_options(client):
    """OPTIONS says what a path allows, without asking a service."""
    for path, methods in METHODS.items():
        reply = await client.request("OPTIONS", path.format(new_id(), new_id()))
        assert reply.status in (200, 204), reply.curl
        assert {name.strip() for name in reply.headers["allow"].split(",")} == methods, reply.curl


async def test_other_origins_are_not_let_in(client):
    """Without being allowed an origin gets no CORS headers."""
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
        reply = await client.request("GET", f"/author/{new_id()}/timeline", headers=headers)
        assert "access-control-allow-origin" not in reply.headers
        preflight = await client.request(
            "OPTIONS", "/cheep", headers={**headers, "Access-Control-Request-Method": "POST"}
        )
        assert "access-control-allow-origin" not in preflight.headers


async def test_allowed_origins_are_let_in(client, allowed_origin):
    """An origin of ALLOWED_ORIGINS may send commands with a key and read the API's own headers."""
    headers = {"Origin": allowed_origin}
    reply = await client.request("GET", f"/author/{new_id()}/timeline", headers=headers)
    assert reply.headers["access-control-allow-origin"] == allowed_origin
    exposed = {name.strip().lower() for name in reply.headers["access-control-expose-headers"].split(",")}
    assert exposed >= {"x-message-id", "retry-after", "etag"}
    assert "origin" in reply.headers["vary"].lower()
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key,content-type"}
    preflight = await client.request("OPTIONS", "/cheep", headers={**headers, **asks})
    allowed = {name.strip().lower() for name in preflight.headers["access-control-allow-headers"].split(",")}
    assert preflight.headers["access-control-allow-origin"] == allowed_origin
    assert allowed >= {"authorization", "idempotency-key", "content-type", "if-none-match"}
    assert "POST" in preflight.headers["access-control-allow-methods"]
    error = await client.request("GET", "/nope", headers=headers)
    assert error.headers["access-control-allow-origin"] == allowed_origin


async def test_no_response_names_its_software(client):
    """Responses name neither server nor version."""
    for reply in (await client.timeline(new_id()), await client.request("GET", "/nope")):
        assert "uvicorn" not in reply.headers.get("server", "").lower()
        assert "x-powered-by" not in reply.headers
