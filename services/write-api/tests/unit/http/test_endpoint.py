"""The endpoints over a dispatcher whose outcome a test chooses, without a socket and without a server."""

import gzip
import json
import uuid

import httpx
import pytest
from prometheus_client import CollectorRegistry

from cheeper_contracts.http.responses import STATUS_OF
from cheeper_runtime.concurrency.limit import OverloadedError
from write_api.bus.bus import CommandBus
from write_api.bus.dispatcher import Dispatcher
from write_api.bus.errors import CommandTooLargeError, UnavailableError
from write_api.bus.outcome import Outcome
from write_api.features import ENDPOINTS, HANDLERS, TRANSPORTS
from write_api.http.app import create_app
from write_api.testing import MemoryTransactions

ONE, OTHER = (str(uuid.UUID(int=n)) for n in (1, 2))
POST = ("POST", "/cheep", {"author_id": ONE, "message": "Hello"})
EMAIL = ("PUT", f"/author/{ONE}/email", {"email": "b@bob.com"})


class Chosen(Dispatcher):
    """A dispatcher that gives the chosen outcome, or raises it, and keeps the command."""

    def __init__(self):
        transactions = MemoryTransactions()
        bus = CommandBus(transactions.begin, lambda: None, HANDLERS, source="/test")
        super().__init__(bus, TRANSPORTS, transactions, send=None, limits=None)
        self.reset()

    def reset(self):
        self.outcome, self.command, self.envelope = Outcome(changed=True), None, None

    async def dispatch(self, command, envelope, *, repeatable):
        del repeatable
        self.command, self.envelope = command, envelope
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture(scope="module")
def application():
    """Return an application, which takes long to make, and its dispatcher."""
    chosen = Chosen()
    return create_app(ENDPOINTS, chosen, {}, CollectorRegistry()), chosen


@pytest.fixture
def dispatcher(application):
    chosen = application[1]
    chosen.reset()
    return chosen


@pytest.fixture
async def client(application):
    app = application[0]
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def send(client, request, **headers):
    method, path, body = request
    return await client.request(method, path, json=body, headers=headers)


@pytest.mark.parametrize(
    ("request_", "outcome", "status"),
    [
        (POST, Outcome(changed=True), 201),
        (POST, Outcome(), 200),
        (POST, Outcome(accepted=True), 202),
        (EMAIL, Outcome(changed=True), 200),
        (EMAIL, Outcome(), 200),
        (POST, Outcome(accepted=True, code="author_not_found"), 202),
        (POST, Outcome(code="author_not_found", message="no"), 404),
        (POST, UnavailableError("no broker"), 503),
        (POST, OverloadedError("database"), 503),
        (POST, CommandTooLargeError("too large"), 500),
        (POST, ZeroDivisionError(), 500),
    ],
)
async def test_an_outcome_has_its_status(client, dispatcher, request_, outcome, status):
    """Every response has its message id, and an accepted command stays accepted."""
    dispatcher.outcome = outcome
    response = await send(client, request_)
    assert response.status_code == status
    assert response.headers["x-message-id"] == response.json()["meta"]["message_id"]
    assert (response.headers["x-content-type-options"], response.headers["cache-control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UnavailableError("no broker"), "unavailable", "The outcome is unknown"),
        (OverloadedError("database"), "overloaded", "nothing was done"),
    ],
)
async def test_a_503_states_whether_anything_may_have_been_done(client, dispatcher, error, code, sentence):
    """Both are to be sent again after Retry-After; only the outcome of one is unknown."""
    dispatcher.outcome = error
    response = await send(client, POST)
    problem = response.json()["data"]
    assert (problem["code"], response.headers["retry-after"]) == (code, "1")
    assert sentence in problem["message"]


async def test_an_id_that_is_left_out_is_derived_from_the_message_id(client, dispatcher):
    """A repeat under the same key makes the same id, and the response contains it."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = [await send(client, POST, **key) for _ in range(2)]
    assert first.json() == second.json()
    assert first.json()["data"] == {"cheep_id": dispatcher.command.cheep_id}
    assert dispatcher.envelope.message_id == key["Idempotency-Key"]


@pytest.mark.parametrize("outcome", [Outcome(changed=True), Outcome(), Outcome(accepted=True)])
@pytest.mark.parametrize(
    ("path", "body", "location"),
    [
        ("/author", {"author_id": ONE, "username": "bob", "email": "bob@example.com"}, f"/author/{ONE}"),
        ("/cheep", {"cheep_id": ONE, "author_id": OTHER, "message": "Hi"}, f"/cheep/{ONE}"),
        (f"/cheep/{OTHER}/answer", {"cheep_id": ONE, "author_id": OTHER, "message": "Hi"}, f"/cheep/{ONE}"),
        ("/follow", {"from_author_id": ONE, "to_author_id": OTHER}, f"/author/{ONE}/following/{OTHER}"),
    ],
)
async def test_a_response_says_where_that_is_which_was_created(client, dispatcher, outcome, path, body, location):
    """Location is the path of what a POST creates, also before it is handled and if it was there already."""
    dispatcher.outcome = outcome
    assert (await client.post(path, json=body)).headers["location"] == location


async def test_a_command_that_creates_nothing_has_no_location(client, dispatcher):
    """Neither a change nor a refusal has a Location."""
    assert "location" not in (await send(client, EMAIL)).headers
    dispatcher.outcome = Outcome(code="author_not_found", message="no")
    assert "location" not in (await send(client, POST)).headers


async def test_a_given_id_is_used_in_lower_case(client, dispatcher):
    """Ids are keys, so they have one spelling; other texts are passed on as they were sent."""
    given = str(uuid.uuid4())
    body = {"cheep_id": given.upper(), "author_id": ONE, "message": " Hi "}
    response = await client.post("/cheep", json=body)
    assert response.json()["data"] == {"cheep_id": given}
    assert (dispatcher.command.cheep_id, dispatcher.command.message) == (given, " Hi ")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (("POST", "/follow", {"from_author_id": ONE, "to_author_id": ONE}), "cannot_follow_self"),
        (("POST", "/cheep?x=1", {"author_id": ONE, "message": ""}), "invalid"),
        (("POST", "/nope", None), "no_such_path"),
        (("POST", f"/cheep/{ONE}", None), "method_not_allowed"),
        (("PUT", f"/author/{ONE}/email", None), "unsupported_media_type"),
    ],
)
async def test_a_wrong_request_is_refused_before_it_is_dispatched(client, dispatcher, request_, code):
    """The response has the status of its code."""
    response = await send(client, request_)
    assert (response.status_code, response.json()["data"]["code"]) == (STATUS_OF[code], code)
    assert dispatcher.command is None


async def test_all_that_is_wrong_is_named_at_once(client):
    """The header is named first, then the query, then the body."""
    body = {"author_id": "x", "message": 5, "mood": "good"}
    response = await client.post("/cheep?x=1", json=body, headers={"Idempotency-Key": "bob"})
    fields = [field["field"] for field in response.json()["data"]["fields"]]
    assert fields == ["Idempotency-Key", "x", "message", "mood", "author_id"]


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "identity, gzip", "x"])
async def test_an_encoded_body_is_refused(client, dispatcher, encoding):
    """A body that is declared as encoded gets 415, be it so or not; without an encoding it is read."""
    method, path, body = POST
    for content in (json.dumps(body).encode(), gzip.compress(json.dumps(body).encode())):
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        response = await client.request(method, path, content=content, headers=headers)
        assert (response.status_code, response.json()["data"]["code"]) == (415, "unsupported_media_type")
    assert dispatcher.command is None
    assert (await send(client, POST, **{"Content-Encoding": "identity"})).status_code == 201


@pytest.mark.parametrize(
    "types", [[], ["application/json" + ";a=b" * 10_000], ["application/json"] * 2, ["text/plain"]]
)
async def test_a_content_type_is_one_and_short(client, types):
    """No type, two of them, another one, and a header of thousands of parameters, which is not taken apart, get 415."""
    method, path, body = POST
    headers = [("Content-Type", each) for each in types]
    response = await client.request(method, path, content=json.dumps(body).encode(), headers=headers)
    assert (response.status_code, response.json()["data"]["code"]) == (415, "unsupported_media_type")
