"""The HTTP edge over a store in memory."""

import io

import httpx
import pytest

from cheeper_contracts.http.responses import CLIENT_ADDRESS_HEADER
from cheeper_runtime import logs

pytestmark = pytest.mark.proves(guarantee="identity")

EMAIL, PASSWORD = "ann@example.org", "a long enough one"


async def _account(client, service):
    assert (await client.post("/account", json={"email": EMAIL})).status_code == 202
    body = {"email": EMAIL, "code": service.mailer.code(), "new_password": PASSWORD}
    return await client.put("/account/password", json=body)


async def _delete(client, path, body):
    return await client.request("DELETE", path, json=body)


async def test_a_life_of_an_account(client, service):
    """An account is made, signs in, refreshes, changes its password and signs out."""
    made = await _account(client, service)
    assert made.status_code == 200, made.text
    assert set(made.json()["data"]) == {"account_id", "session"}
    signed_in = await client.post("/session", json={"email": EMAIL, "password": PASSWORD})
    assert signed_in.status_code == 201
    assert set(signed_in.json()["data"]) == {"access_token", "refresh_token", "token_type", "expires_in"}
    refreshed = await client.post("/session", json={"refresh_token": signed_in.json()["data"]["refresh_token"]})
    assert refreshed.status_code == 201
    token = refreshed.json()["data"]["refresh_token"]
    assert (await _delete(client, "/session", {"refresh_token": token})).status_code == 200
    assert (await client.post("/session", json={"refresh_token": token})).status_code == 401
    body = {"email": EMAIL, "password": PASSWORD, "new_password": "another password"}
    assert (await client.put("/account/password", json=body)).status_code == 200
    assert (await client.post("/session", json={"email": EMAIL, "password": PASSWORD})).status_code == 401


async def test_a_response_is_stored_nowhere_and_has_its_requests_id(client, service):
    """Tokens are in no cache, and the gateway's id of the request is in the response."""
    made = await _account(client, service)
    assert made.headers["Cache-Control"] == "no-store"
    message_id = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
    found = await client.post("/session", json={}, headers={"X-Message-Id": message_id})
    assert found.json()["meta"]["message_id"] == message_id == found.headers["X-Message-Id"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/session", b"{", 400, "malformed_json"),
        ("/session", b'{"email": "\xff"}', 400, "malformed_json"),
        ("/session", b"[]", 422, "invalid"),
        ("/session", b'{"email": 1, "password": "x"}', 422, "invalid"),
        ("/session", b'{"email": "a@example.org"}', 422, "invalid"),
        ("/session", b'{"email": "a@example.org", "password": "x", "refresh_token": "y"}', 422, "invalid"),
        ("/session", b'{"email": "a@example.org", "password": "secret one"}', 401, "wrong_credentials"),
        ("/session", b'{"email": "none", "password": "secret one"}', 401, "wrong_credentials"),
        ("/session", b'{"refresh_token": "\\udc80.x"}', 400, "malformed_json"),
        ("/session", b'{"refresh_token": "x"}', 401, "wrong_credentials"),
        ("/account", b'{"email": "none"}', 422, "invalid"),
        ("/account", b'{"email": "a@example.org", "roles": ["operator"]}', 422, "invalid"),
        ("/account", b'"' + b"x" * 5000 + b'"', 413, "body_too_large"),
        ("/nothing", b"{}", 404, "no_such_path"),
    ],
)
async def test_bad_requests(client, path, body, status, code):
    """Each bad request has its status and code, and the response repeats nothing of it."""
    found = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert (found.status_code, found.json()["data"]["code"]) == (status, code)
    assert "secret one" not in found.text


async def test_a_body_of_another_type_is_refused(client):
    """A form of another site's page, which no browser asks leave for, does nothing."""
    found = await client.post("/session", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (found.status_code, found.json()["data"]["code"]) == (415, "unsupported_media_type")


async def test_wrong_passwords_are_refused_by_client(client, service):
    """After five wrong passwords a client gets 429 with Retry-After, and another client is served."""
    await _account(client, service)
    guess = {"email": EMAIL, "password": "a wrong password"}
    one, other = {CLIENT_ADDRESS_HEADER: "198.51.100.7"}, {CLIENT_ADDRESS_HEADER: "198.51.100.8"}
    statuses = [(await client.post("/session", json=guess, headers=one)).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    refused = await client.post("/session", json=guess, headers=one)
    assert int(refused.headers["Retry-After"]) > 0
    assert (await client.post("/session", json={**guess, "password": PASSWORD}, headers=other)).status_code == 201


async def test_a_client_that_is_not_the_gateway_chooses_no_address(service, new_app):
    """Guesses that reach the service around the gateway count for the address that they come from."""
    await service.account(EMAIL, PASSWORD)
    guess = {"email": EMAIL, "password": "a wrong password"}
    transport = httpx.ASGITransport(app=new_app(service), client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = [{CLIENT_ADDRESS_HEADER: f"198.51.100.{number}"} for number in range(6)]
        statuses = [(await client.post("/session", json=guess, headers=each)).status_code for each in headers]
    assert statuses == [401] * 5 + [429]


async def test_keys_and_configuration(client):
    """Verifiers find the issuer and its keys, which they may cache."""
    found = (await client.get("/.well-known/openid-configuration")).json()
    assert (found["issuer"], found["jwks_uri"]) == (
        "https://cheeper.example.org",
        "https://cheeper.example.org/.well-known/jwks.json",
    )
    keys = await client.get("/.well-known/jwks.json")
    assert len(keys.json()["keys"]) == 1
    assert "max-age" in keys.headers["Cache-Control"]


async def test_no_log_has_a_secret(client, service, monkeypatch):
    """Neither passwords nor codes, tokens and addresses are in the log, of a defect neither."""
    lines = io.TextIOWrapper(io.BytesIO())
    logs.configure("identity", "json", "debug", stream=lines)
    made = await _account(client, service)
    session = made.json()["data"]["session"]
    secrets = [PASSWORD, EMAIL, service.mailer.code(), session["access_token"], session["refresh_token"]]
    await client.post("/session", json={"email": EMAIL, "password": "a wrong password"})

    async def fail(*arguments):
        raise RuntimeError(f"of {arguments}")

    monkeypatch.setattr(service.accounts, "sign_in", fail)
    found = await client.post("/session", json={"email": EMAIL, "password": PASSWORD})
    assert (found.status_code, found.json()["data"]["code"]) == (500, "internal")
    logged = lines.buffer.getvalue().decode()
    assert '"defect"' in logged
    assert [each for each in secrets if each in logged + found.text] == []
