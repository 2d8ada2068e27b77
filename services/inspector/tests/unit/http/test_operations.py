"""The HTTP edge of operations, over a trail and tools in memory."""

import re
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from cheeper_contracts.actors import OPERATOR
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.http.inspector import OPERATIONS
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.tokens.errors import InvalidTokenError
from cheeper_runtime.tokens.verifier import Claims
from inspector.http.app import typed
from inspector.http.operations import create_operations_app
from inspector.operations.generations import read_generations
from inspector.operations.runner import Operations

CADDYFILE = Path(__file__).parents[5] / "deploy" / "Caddyfile"
OWN = {"/health/live", "/health/ready", "/metrics"}
BOB, EVE = "a64a52cc-3ee9-4a15-918b-099e18b43119", "a64a52cc-3ee9-4a15-918b-099e18b43120"
KEY = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
REPLAY = {"action": "replay", "server": "redis", "key": "k", "reason": "a test"}
POST = PostCheep(cheep_id=KEY, author_id=BOB, message="<b>Hello</b>")


class Tokens:
    """A verifier of the tokens of two operators and an author."""

    async def verify(self, token):
        found = {"bob": (BOB, ("operator",)), "eve": (EVE, ("operator",)), "author": (EVE, ("admin",))}.get(token)
        if found is None:
            raise InvalidTokenError("The token cannot be read")
        return Claims(caller=found[0], roles=found[1])


@pytest.fixture
def app(world, trail, tools):
    """Makes the application."""

    @contextmanager
    def readers():
        yield world.readers()

    def make(verifier=None):
        limit = ConcurrencyLimit("reads", at_once=2, queue_seconds=0)
        return create_operations_app(
            Operations(trail, tools),
            readers,
            partial(read_generations, tools),
            limit,
            verifier=verifier,
            registry=new_registry(),
        )

    return make


@pytest.fixture
async def client(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app()), base_url="http://test") as one:
        yield one


@pytest.fixture
async def with_tokens(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app(Tokens())), base_url="http://test") as one:
        yield one


def bearer(token):
    return {} if token is None else {"Authorization": f"Bearer {token}"}


async def test_an_action_is_accepted_and_polled(client, trail, tools):
    """The response names the action, which has its outcome and output once it has ended."""
    accepted = await client.post("/operations", json=REPLAY, headers={"Idempotency-Key": KEY.upper()})
    assert (accepted.status_code, accepted.headers["Location"]) == (202, f"/operations/{KEY}")
    assert accepted.json()["data"]["reason"] == "a test"
    await trail.ended[KEY].wait()
    found = (await client.get(accepted.headers["Location"])).json()["data"]
    assert (found["outcome"], found["lines"], found["caller"]) == ("succeeded", ["done"], None)
    assert tools.ran[0].arguments == ("dead-letters", "replay", "--store", "redis", "--", "k")


async def test_a_repeat_acts_once_and_another_callers_key_is_taken(with_tokens, trail, tools):
    """A repeated request is the same action; the response to another caller has nothing of it."""
    own = {"Idempotency-Key": KEY, **bearer("bob")}
    for _ in range(2):
        assert (await with_tokens.post("/operations", json=REPLAY, headers=own)).status_code == 202
    refused = await with_tokens.post("/operations", json=REPLAY, headers={**own, **bearer("eve")})
    assert (refused.status_code, refused.json()["data"]["code"]) == (409, "message_id_reused")
    assert "a test" not in refused.text
    await trail.ended[KEY].wait()
    assert (len(tools.ran), trail.entries[KEY].caller) == (1, BOB)


async def test_one_action_at_a_time(client, tools, trail):
    """A second action is refused, and may be sent later."""
    tools.may_end.clear()
    await client.post("/operations", json=REPLAY, headers={"Idempotency-Key": KEY})
    refused = await client.post("/operations", json=REPLAY)
    assert (refused.status_code, refused.json()["data"]["code"]) == (409, "busy")
    tools.may_end.set()
    await trail.ended[KEY].wait()


@pytest.mark.parametrize(
    ("content", "headers", "status", "code", "field"),
    [
        (b"{", {}, 400, "malformed_json", None),
        (b"[" * 100_000, {}, 400, "malformed_json", None),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type", None),
        (b'{"action": "audit"}', {}, 422, "invalid", "body"),
        (b'{"action": "audit", "reason": ""}', {}, 422, "invalid", "reason"),
        (b'{"action": "audit", "reason": "a test"}', {"Idempotency-Key": "x"}, 422, "invalid", "Idempotency-Key"),
    ],
)
async def test_what_is_no_action_is_refused(client, trail, content, headers, status, code, field):
    """A request that cannot be understood, or that a page of another site may send, is not in the trail."""
    found = await client.post("/operations", content=content, headers={"Content-Type": "application/json", **headers})
    data = found.json()["data"]
    assert (found.status_code, data["code"]) == (status, code)
    assert [each["field"] for each in data.get("fields", [])] == ([field] if field else [])
    assert trail.entries == {}


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("broken", 401), ("author", 403), ("bob", None)], ids=str)
async def test_only_operators_with_tokens(with_tokens, trail, tools, token, status):
    """Each route with each of its methods is for callers with the role operator, and nothing is done for others."""
    headers = bearer(token)
    for route in OPERATIONS:
        assert route.reader == OPERATOR
        path = route.path.format(action_id=KEY)
        for method in (*route.queries, *route.commands):
            found = await with_tokens.request(method, path, headers=headers, json={} if method == "POST" else None)
            assert found.status_code == status if status else found.status_code not in (401, 403)
    if status:
        assert (trail.entries, tools.ran) == ({}, [])


async def test_the_trail_is_listed_by_cursor(client, trail):
    """Each page has the actions before those of the page before, the newest first."""
    for number in range(3):
        key = f"{KEY[:-1]}{number}"
        await client.post(
            "/operations", json={"action": "audit", "reason": str(number) * 3}, headers={"Idempotency-Key": key}
        )
        await trail.ended[key].wait()
        await trail.free.wait()
    first = (await client.get("/operations?size=2")).json()
    assert [each["reason"] for each in first["data"]["actions"]] == ["222", "111"]
    rest = (await client.get(f"/operations?size=2&cursor={first['meta']['next_cursor']}")).json()
    assert ([each["reason"] for each in rest["data"]["actions"]], "next_cursor" in rest["meta"]) == (["000"], False)
    for query, field in (("cursor=x", "cursor"), ("size=0", "size"), ("size=101", "size")):
        refused = await client.get(f"/operations?{query}")
        assert (refused.status_code, refused.json()["data"]["fields"][0]["field"]) == (422, field)


async def test_content_is_revealed_for_a_reason(client, world, trail):
    """The content of failed messages is shown once that is in the trail, and not otherwise."""
    world.mongo.failures = [world.failure(POST)]
    refused = await client.post("/operations/failed", json={})
    assert (refused.status_code, trail.entries) == (422, {})
    trail.available = False
    hidden = await client.post("/operations/failed", json={"reason": "a test"})
    assert (hidden.status_code, "Hello" in hidden.text) == (503, False)
    trail.available = True
    found = await client.post("/operations/failed", json={"reason": "a test"}, headers={"Idempotency-Key": KEY})
    assert found.json()["data"]["messages"][0]["content"]["message"] == "<b>Hello</b>"
    assert (trail.entries[KEY].action, trail.entries[KEY].reason) == ("reveal", "a test")


async def test_an_unavailable_trail_is_reported(client, trail, tools):
    """Without the trail there is no action, and a caller may try again."""
    trail.available = False
    for found in (await client.post("/operations", json=REPLAY), await client.get("/operations")):
        assert (found.status_code, found.json()["data"]["code"]) == (503, "unavailable")
        assert "Retry-After" in found.headers
    assert tools.ran == []


@pytest.mark.parametrize("action_id", [KEY, "nothing"])
async def test_an_unknown_action(client, action_id):
    """An id of no action is not found, whatever it looks like."""
    found = await client.get(f"/operations/{action_id}")
    assert (found.status_code, found.json()["data"]["code"]) == (404, "action_not_found")


async def test_generations(client, tools):
    """The list is that of the command line."""
    tools.lines = ['{"store":"redis","generation":1}']
    found = (await client.get("/operations/generations")).json()["data"]
    assert found == {"generations": [{"store": "redis", "generation": 1}]}


def test_the_gateway_forwards_every_route_and_no_other(app):
    """A route with its methods that the gateway does not know is one that nobody reaches."""
    snippet = re.search(r"\(operations_paths\) \{\n(.*?)\n\}", CADDYFILE.read_text(), re.DOTALL)[1]
    forwarded = dict(re.findall(r'~\^(\S+)\$ "([A-Z, ]+)"', snippet))
    assert forwarded == {re.sub("{[^}]+}", "[^/]+", route.path): route.allow for route in OPERATIONS}
    assert {route.path for route in app().routes} - OWN == {typed(route) for route in OPERATIONS}
