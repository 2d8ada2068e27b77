"""The sign-in by a provider over HTTP."""

import io
from urllib.parse import parse_qs, urlsplit

import pytest

from cheeper_runtime import logs

pytestmark = pytest.mark.proves(guarantee="identity")


async def begin(client):
    found = await client.post("/session/external", json={"provider": "example"})
    assert found.status_code == 201, found.text
    return found.json()["data"]


def came_back(service, begun):
    """The body with which a browser completes what it began, once its user has signed in at the provider."""
    query = parse_qs(urlsplit(service.provider.authorize(begun["url"])).query)
    return {"secret": begun["secret"], **{name: query[name][0] for name in ("state", "code", "iss")}}


async def test_a_browser_signs_in_by_a_provider(client, service):
    """The session is the same as by a password, and the response is stored nowhere."""
    begun = await begin(client)
    assert (set(begun), begun["expires_in"]) == ({"url", "secret", "state", "expires_in"}, 600)
    made = await client.put("/session/external", json=came_back(service, begun))
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    assert set(made.json()["data"]) == {"access_token", "refresh_token", "token_type", "expires_in"}
    token = {"refresh_token": made.json()["data"]["refresh_token"]}
    assert (await client.post("/session", json=token)).status_code == 201


async def test_clients_learn_the_providers(client):
    """A page reads which providers it may offer where it reads that there are accounts."""
    found = (await client.get("/.well-known/openid-configuration")).json()
    assert found["sign_in_providers"] == [{"name": "example", "title": "Example"}]


@pytest.mark.parametrize(
    ("method", "body", "status", "code"),
    [
        ("POST", {}, 422, "invalid"),
        ("POST", {"provider": "another"}, 422, "invalid"),
        ("POST", {"provider": "example", "redirect_uri": "https://evil.example.org"}, 422, "invalid"),
        ("PUT", {}, 422, "invalid"),
        ("PUT", {"secret": "x", "state": "x", "code": "x"}, 401, "wrong_credentials"),
        ("PUT", {"secret": "x", "state": "x", "code": "x", "iss": 1}, 422, "invalid"),
        ("PUT", {"secret": "x" * 5000, "state": "x", "code": "x"}, 413, "body_too_large"),
    ],
)
async def test_bad_requests(client, method, body, status, code):
    """Each bad request has its status and code. Nobody chooses where a code is sent."""
    found = await client.request(method, "/session/external", json=body)
    assert (found.status_code, found.json()["data"]["code"]) == (status, code)


async def test_an_unavailable_provider_is_503_and_everything_else_goes_on(client, service):
    """The client may begin anew soon; keys, codes and passwords do not need the provider."""
    service.provider.available = False
    found = await client.post("/session/external", json={"provider": "example"})
    assert (found.status_code, found.json()["data"]["code"]) == (503, "unavailable")
    assert "Retry-After" in found.headers
    assert (await client.post("/account", json={"email": "ann@example.org"})).status_code == 202
    assert (await client.get("/.well-known/jwks.json")).status_code == 200


async def test_attempts_are_limited_by_client(client):
    """A client that begins too many attempts gets 429."""
    statuses = [(await client.post("/session/external", json={"provider": "example"})).status_code for _ in range(31)]
    assert statuses == [201] * 30 + [429]


async def test_no_log_has_a_secret(client, service):
    """Neither the attempt nor the code nor a token is in the log, of a refusal neither."""
    lines = io.TextIOWrapper(io.BytesIO())
    logs.configure("identity", "json", "debug", stream=lines)
    begun = await begin(client)
    body = came_back(service, begun)
    made = await client.put("/session/external", json=body)
    assert (await client.put("/session/external", json=body)).status_code == 401
    logged = lines.buffer.getvalue().decode()
    assert "wrong_credentials" in logged
    secrets = [body["secret"], body["state"], body["code"], made.json()["data"]["access_token"], "alice"]
    assert not [each for each in secrets if each in logged]
