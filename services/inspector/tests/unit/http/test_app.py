"""The HTTP edge over a world in memory."""

import asyncio
import re
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cheeper_audit.lag.snapshot import LagSnapshot
from cheeper_contracts.actors import OPERATOR
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.http.inspector import ROUTES
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.tokens.errors import InvalidTokenError, KeysUnavailableError
from cheeper_runtime.tokens.verifier import Claims
from inspector.authors.state import Comparison
from inspector.http.app import create_app, typed
from inspector.system.state import SystemState

CADDYFILE = Path(__file__).parents[5] / "deploy" / "Caddyfile"
OWN = {"/health/live", "/health/ready", "/metrics"}
BOB, COMMAND = "a64a52cc-3ee9-4a15-918b-099e18b43119", "17950000-0000-8abc-9def-0123456789ab"
PATH = f"/inspector/trace/{COMMAND}"
POST = PostCheep(cheep_id=COMMAND, author_id=BOB, message="<b>Hello</b>")
POSTED = CheepPosted(cheep_id=COMMAND, author_id=BOB, author_username="bob", message="<b>Hello</b>", cheep_date=1)


class Tokens:
    """A verifier of three tokens."""

    async def verify(self, token):
        if token == "later":
            raise KeysUnavailableError
        roles = {"operator": ("operator",), "author": ("admin",)}.get(token)
        if roles is None:
            raise InvalidTokenError("The token cannot be read")
        return Claims(caller=BOB, roles=roles)


def app_over(world, *, verifier=None, at_once=2, unavailable=()):
    @contextmanager
    def readers():
        yield world.readers(*unavailable)

    limit = ConcurrencyLimit("traces", at_once=at_once, queue_seconds=0)
    return create_app(readers, compare, system, limit, verifier=verifier, registry=new_registry())


def system():
    """A system without a process, whose write model cannot be reached."""
    lag = LagSnapshot(stores={}, unavailable="It cannot be reached.")
    return SystemState(at=1, processes=(), topics=(), lag=lag, unavailable={"postgres": "It cannot be reached."})


def compare(author_id):
    """A comparison that finds one difference."""
    return Comparison(equal=False, differences=(f"redis author {author_id}: is nothing, should be there",), cheeps=1)


def client_of(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_a_trace(world):
    """A trace has the form of every response, and is stored nowhere."""
    world.run(POST, POSTED, COMMAND)
    async with client_of(app_over(world)) as client:
        found = await client.get(PATH.upper().replace("/INSPECTOR/TRACE", "/inspector/trace"))
    assert (found.status_code, found.headers["Cache-Control"]) == (200, "no-store")
    body = found.json()
    assert body["meta"]["message_id"] == found.headers["X-Message-Id"]
    assert (body["data"]["kind"], body["data"]["tree"]["content"]["message"]) == ("command", "<b>Hello</b>")


async def test_an_author_by_name(world):
    """A username after @ is an author, and an unknown one is no error."""
    world.write_model.authors = {BOB: "bob"}
    async with client_of(app_over(world)) as client:
        found = (await client.get("/inspector/trace/@bob")).json()["data"]
        unknown = (await client.get("/inspector/trace/@nobody")).json()["data"]
    assert (found["kind"], found["id"], unknown["kind"]) == ("author", BOB, "unknown")


@pytest.mark.parametrize("of", ["x", "@", "@a-b", f"{{{COMMAND}}}", COMMAND.replace("-", ""), "@" + "a" * 31])
async def test_what_is_no_id_is_refused(world, of):
    """Only a UUID in its usual form, or a username after @, is traced."""
    async with client_of(app_over(world)) as client:
        found = await client.get(f"/inspector/trace/{of}")
    assert (found.status_code, found.json()["data"]["fields"][0]["field"]) == (422, "of")


async def test_an_unavailable_server_is_part_of_a_trace(world):
    """A trace without one of the servers is a response like any other."""
    world.run(POST, POSTED, COMMAND)
    async with client_of(app_over(world, unavailable=("kafka",))) as client:
        found = await client.get(PATH)
    assert (found.status_code, list(found.json()["data"]["unavailable"])) == (200, ["kafka"])


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, 401, "unauthenticated"),
        ("broken", 401, "unauthenticated"),
        ("author", 403, "not_allowed"),
        ("later", 503, "unavailable"),
        ("operator", 200, None),
    ],
)
async def test_only_operators_with_tokens(world, token, status, code):
    """With AUTH=tokens a caller needs the role operator, and no other role will do."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with client_of(app_over(world, verifier=Tokens())) as client:
        found = await client.get(PATH, headers=headers)
        health = await client.get("/health/ready")
    assert (found.status_code, found.json()["data"].get("code")) == (status, code)
    assert ("WWW-Authenticate" in found.headers) == (status == 401)
    assert health.status_code == 200


@pytest.mark.parametrize("query", ["", "?reveal=0"])
async def test_failed_messages(world, query):
    """The list has no content, and is for operators as everything is."""
    world.mongo.failures = [world.failure(POST)]
    async with client_of(app_over(world)) as client:
        found = (await client.get(f"/inspector/failed{query}")).json()["data"]
    assert found["totals"] == {"postgres": 0, "redis": 0, "mongo": 1}
    assert [each["content"]["message"] for each in found["messages"]] == ["•••"]
    async with client_of(app_over(world, verifier=Tokens())) as client:
        assert (await client.get("/inspector/failed")).status_code == 401


async def test_content_is_not_revealed_here(world):
    """The content is for those who leave an entry in the audit trail, which only operations write."""
    world.mongo.failures = [world.failure(POST)]
    async with client_of(app_over(world)) as client:
        refused = await client.get("/inspector/failed?reveal=1")
    assert (refused.status_code, refused.json()["data"]["fields"][0]["field"]) == (422, "reveal")


async def test_an_author_side_by_side(world):
    """An author's rows, keys and documents come with whether they are equal now, and no other id is taken."""
    world.write_model.authors = {BOB: "bob"}
    async with client_of(app_over(world)) as client:
        found = (await client.get(f"/inspector/author/{BOB}")).json()["data"]
        refused = await client.get("/inspector/author/@bob")
    assert (found["exists"], found["comparison"]["equal"], found["comparison"]["cheeps"]) == (True, False, 1)
    assert refused.status_code == 422


async def test_the_state_of_the_system(world):
    """It is a response also while a server is unavailable, and for operators as everything is."""
    async with client_of(app_over(world)) as client:
        found = await client.get("/inspector/system")
    assert (found.status_code, list(found.json()["data"]["unavailable"])) == (200, ["postgres"])
    async with client_of(app_over(world, verifier=Tokens())) as client:
        assert (await client.get("/inspector/system")).status_code == 401


def test_every_route_is_for_operators():
    """Each path of the inspector declares that it is for operators."""
    assert {route.reader for route in ROUTES} == {OPERATOR}


async def test_nothing_can_be_written(world):
    """Every method but GET is refused."""
    async with client_of(app_over(world)) as client:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert (await client.request(method, PATH)).status_code == 405
        assert (await client.get("/inspector/nothing")).status_code == 404


async def test_traces_at_once_are_bounded(world, monkeypatch):
    """A trace beyond the limit is refused before it reads anything, and the one before it goes on."""
    began, may_end, read = threading.Event(), threading.Event(), world.readers

    def readers():
        began.set()
        assert may_end.wait(60)
        return read()

    monkeypatch.setattr(world, "readers", readers)
    async with client_of(app_over(world, at_once=1)) as client:
        first = asyncio.create_task(client.get(PATH))
        await asyncio.to_thread(began.wait, 60)
        refused = await client.get(PATH)
        may_end.set()
        assert (await first).status_code == 200
    assert (refused.status_code, refused.json()["data"]["code"]) == (503, "overloaded")


async def test_a_defect_shows_nothing_of_itself(world, monkeypatch):
    """An exception's text stays in the log."""
    monkeypatch.setattr(world, "readers", lambda: 1 / 0)
    async with client_of(app_over(world)) as client:
        found = await client.get(PATH)
    assert (found.status_code, found.json()["data"]["code"]) == (500, "internal")
    assert "division" not in found.text


def test_the_gateway_forwards_every_route_and_no_other(world):
    """A route with its methods that the gateway does not know is one that nobody reaches."""
    snippet = re.search(r"\(inspector_paths\) \{\n(.*?)\n\}", CADDYFILE.read_text(), re.DOTALL)[1]
    forwarded = dict(re.findall(r'~\^(\S+)\$ "([A-Z, ]+)"', snippet))
    assert forwarded == {re.sub("{[^}]+}", "[^/]+", route.path): route.allow for route in ROUTES}
    assert {route.path for route in app_over(world).routes} - OWN == {typed(route) for route in ROUTES}
