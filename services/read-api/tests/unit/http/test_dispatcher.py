"""Requests to the whole HTTP application over fakes of the stores."""

import asyncio
from contextlib import suppress

import msgspec
import pytest
from read_api_fakes import FakeMongo, FakeMongoViews, FakeRedis, FakeRedisViews, FakeSearch, seeds
from read_api_layout import AT, command_record, limits, new_id
from read_api_streams import streams_of
from structlog.testing import capture_logs

from cheeper_contracts.http.routes import ROUTES
from cheeper_runtime.concurrency.limit import OverloadedError
from read_api.bootstrap import query_bus
from read_api.http.app import build_app
from read_api.http.dispatcher import OWN_PAGES
from read_api.http.endpoints import ENDPOINTS
from read_api.http.responses import MESSAGE_ID
from read_api.ops.metrics import NO_QUERY, Metrics
from read_api.queries.search import TOTAL_MAX, Matches
from read_api.query_bus.paging import ListQuery
from read_api.query_bus.query import Result, StoreUnavailableError, TooCostlyError


@pytest.fixture
def stores():
    return FakeRedis(), FakeMongo()


@pytest.fixture
def app(stores):
    """Return the application, its stores' views and its metrics."""
    redis, mongo = stores
    metrics = Metrics()
    bus = query_bus(FakeRedisViews(redis), FakeMongoViews(mongo), metrics, limits())
    streams = streams_of(FakeRedisViews(redis), limits(), metrics)
    app = build_app(bus, streams, {}, nothing, metrics, {})
    app.metrics = metrics
    return app


async def connected():
    """Receive nothing, as of a client that has sent its request and waits."""
    await asyncio.Event().wait()


async def nothing():
    """Close no server."""


async def get(app, path, *, method="GET", headers=(), receive=None, **state):
    """Return the status, the headers and the decoded body of the response to a request."""
    sent = []
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        **state,
    }

    async def send(message):
        sent.append(message)

    await app(scope, receive or connected, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(each["body"] for each in sent[1:])
    return sent[0]["status"], headers, msgspec.json.decode(body) if body else None


def routes(stores):
    """Return a path of each query that finds something, and of some that do not."""
    hot, documents = seeds(*stores, 1)
    author, other = documents.sign_up(username="ann"), documents.sign_up(username="bob")
    hot.author(author, username="ann", followers=1)
    documents.follow(other, author)
    cheep = documents.post(author, "hello")
    documents.command(command_record(message := new_id(), key=author, sequence=1))
    given = {"author_id": author, "cheep_id": cheep, "message_id": message}
    query = {"/author": "?username=ann", "/search": "?q=hello", "/search/authors": "?q=ann"}
    shown = [endpoint.route.path for endpoint in ENDPOINTS]
    found = [path.format(**given) + query.get(path, "") for path in shown]
    return [*found, f"/author/{new_id()}", "/cheep/me", f"/author/{author}/timeline?size=x&unknown=1"]


async def test_litestar_serves_the_same_responses(app, stores):
    """A request that goes through Litestar's own route gets the same response as one that is dispatched directly."""
    for path in routes(stores):
        message_id = new_id()
        direct = await get(app, path, headers=[("X-Message-Id", message_id)])
        assert await get(app._litestar, path, **{MESSAGE_ID: message_id}) == direct, path
        assert direct[1]["x-message-id"] == direct[2]["meta"]["message_id"] == message_id


PRIVATE = ("/timeline", "/notifications", "/mutes", "/blocks", "/command/")


async def test_only_public_responses_may_be_stored(app, stores):
    """A found response of a public query has an ETag and is revalidated; private ones, errors and those to `after` are
    not stored, and no response is sniffed.
    """
    storable = 0
    for path in [*routes(stores), "/nope", "/health/live", "/schema"]:
        status, headers, _ = await get(app, path)
        assert headers["x-content-type-options"] == "nosniff"
        public = status == 200 and path not in OWN_PAGES and not any(part in path for part in PRIVATE)
        assert headers["cache-control"] == ("public, no-cache" if public else "no-store"), path
        assert ("etag" in headers) is public
        storable += public
        if public:
            after = f"{path}{'&' if '?' in path else '?'}after={new_id()}&timeout=0"
            assert (await get(app, after))[1]["cache-control"] == "no-store"
    assert storable == 10


async def test_what_a_client_has_is_not_sent_again(app, stores):
    """With its ETag the response is 304 without a body, until the data have changed; an error is never 304."""
    _, documents = seeds(*stores, 1)
    author = documents.sign_up(username="ann")
    path = f"/author/{author}/cheeps"
    _, headers, _ = await get(app, path)
    known = [("If-None-Match", headers["etag"])]
    status, again, body = await get(app, path, headers=known)
    assert (status, body, again["etag"], again["cache-control"]) == (304, None, headers["etag"], "public, no-cache")
    assert {"x-message-id", "x-content-type-options"} <= again.keys()
    assert not {"content-type", "content-length"} & again.keys()
    assert app.metrics._requests["AuthorCheeps", 304] == 1
    documents.post(author, "hello")
    status, changed, body = await get(app, path, headers=known)
    assert (status, len(body["data"]["cheeps"])) == (200, 1)
    assert changed["etag"] != headers["etag"]
    assert (await get(app, f"/author/{new_id()}", headers=[("If-None-Match", "*")]))[0] == 404


async def test_the_gateway_s_message_id_is_taken(app):
    """A request's X-Message-Id is its message id if it is a UUID, in lower case; otherwise a new one is made."""
    given = new_id()
    for sent, taken in ((given.upper(), True), ("me", False), ("x" * 36, False)):
        _, headers, body = await get(app, f"/author/{new_id()}/timeline", headers=[("X-Message-Id", sent)])
        assert headers["x-message-id"] == body["meta"]["message_id"]
        assert (headers["x-message-id"] == given) is taken


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/cheep/{id}/", 404, "no_such_path", None),
        ("GET", "/author//timeline", 404, "no_such_path", None),
        ("GET", "/nope", 404, "no_such_path", None),
        ("GET", "/search/cheeps?q=a", 404, "no_such_path", None),
        ("GET", "/follow", 405, "method_not_allowed", "POST, OPTIONS"),
        ("POST", "/cheep/{id}", 405, "method_not_allowed", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("PUT", "/search", 405, "method_not_allowed", "GET, HEAD, OPTIONS"),
        ("POST", "/health/live", 405, "method_not_allowed", "GET, HEAD"),
    ],
)
async def test_paths_and_methods_that_no_query_has(app, method, path, status, code, allow):
    """An unknown path is 404, and another method is 405 with the methods of both services."""
    found, headers, body = await get(app, path.format(id=new_id()), method=method)
    assert (found, body["data"]["code"], headers.get("allow")) == (status, code, allow)
    assert body["meta"]["message_id"] == headers["x-message-id"]


async def test_a_cursor_of_another_list_is_refused(app, stores):
    """A cursor that another list or another owner returned is a wrong field, 422, of every list."""
    _, documents = seeds(*stores, 1)
    ann, bob = documents.sign_up(username="ann"), documents.sign_up(username="bob")
    for number in range(2):
        answered = documents.post(ann, parent=documents.post(ann), at=AT + number)
        documents.notify(ann, at=AT + number)
    lists = [
        route.path.format(author_id=owner, cheep_id=answered)
        for route in ROUTES
        if (row := next((each for each in ENDPOINTS if each.route == route), None)) and issubclass(row.query, ListQuery)
        for owner in (ann, bob)
    ]
    _, _, body = await get(app, f"/author/{ann}/cheeps?size=1")
    cursor = body["meta"]["next_cursor"]
    statuses = {}
    for path in lists:
        status, _, body = await get(app, f"{path}?cursor={cursor}")
        statuses[path] = status
        if status != 200:
            assert [field["field"] for field in body["data"]["fields"]] == ["cursor"]
    assert [path for path, status in statuses.items() if status != 422] == [f"/author/{ann}/cheeps"]
    assert statuses[f"/author/{ann}/cheeps"] == 200


async def test_one_line_per_request(app, stores):
    """A request is one line of the log and one count under the name of its query, whether it succeeds or not."""
    paths = routes(stores)
    with capture_logs() as lines:
        statuses = [(await get(app, path))[0] for path in paths]
        await get(app, "/nope")
    assert [line["status"] for line in lines] == [*statuses, 404]
    assert {line["event"] for line in lines} == {"request"}
    assert app.metrics._requests["Author", 200] == app.metrics._requests["Author", 404] == 1
    assert app.metrics._requests[NO_QUERY, 404] == 1


@pytest.mark.parametrize(
    ("error", "status", "code", "logged"),
    [
        (StoreUnavailableError("redis", "at 10.0.0.1"), 503, "unavailable", {"log_level": "warning", "store": "redis"}),
        (OverloadedError("mongo"), 503, "overloaded", {"log_level": "info", "limit": "mongo"}),
        (TooCostlyError(), 503, "overloaded", {"log_level": "info", "limit": "time"}),
        (KeyError("defect"), 500, "internal", {"log_level": "error"}),
    ],
)
async def test_a_failure_is_in_the_line_of_its_request(app, monkeypatch, error, status, code, logged):
    """The client learns the code of a failure, and only the log has its reason, in the line of the request."""

    async def fail(*_arguments, **_names):
        raise error

    monkeypatch.setattr(FakeRedisViews, "followers", fail)
    with capture_logs() as lines:
        found, headers, body = await get(app, f"/author/{new_id()}/followers-counter")
    assert (found, body["data"]["code"], headers.get("retry-after")) == (status, code, "1" if status == 503 else None)
    assert "10.0.0.1" not in str(body)
    (line,) = lines
    assert logged.items() <= line.items()


async def test_a_client_that_disconnects_is_not_waited_for(app):
    """The wait of `after` ends with the connection, as status 499 in the log and the metrics."""

    async def disconnect():
        return {"type": "http.disconnect"}

    with capture_logs() as lines, pytest.raises(IndexError):  # there is no response
        await get(app, f"/author/{new_id()}/timeline?after={new_id()}&timeout=10", receive=disconnect)
    assert [line["status"] for line in lines] == [499]
    assert app.metrics.waits == {"disconnected": 1}


async def test_searches_of_clients_that_disconnect_leave_their_places(searching):
    """Clients that disconnect, more than may search at once, take nothing from the next: their searches end."""
    app, limits, search = searching
    with capture_logs() as lines:
        clients = [Client(app, "/search?q=hello") for _ in range(5)]
        await until(lambda: limits.searches.in_flight == 4 and limits.searches.waiting == 1)
        for client in clients:
            client.disconnect()
        await asyncio.gather(*(client.task for client in clients))
    assert [line["status"] for line in lines] == [499] * 5
    assert (limits.searches.in_flight, limits.searches.waiting, search.cancelled) == (0, 0, 4)
    search.released.set()
    assert (await get(app, "/search?q=hello"))[0] == 200


async def test_searches_that_hang_hold_up_no_other_query(searching):
    """While as many searches hang as may run, look-ups in the same store are served."""
    app, limits, search = searching
    clients = [Client(app, "/search/authors?q=hello") for _ in range(4)]
    await until(lambda: limits.searches.in_flight == 4)
    assert (await get(app, f"/author/{new_id()}"))[0] == 404
    assert limits.mongo.in_flight == 0
    search.released.set()
    await asyncio.gather(*(client.task for client in clients))


async def test_a_capped_total_is_in_the_meta(app, stores):
    """The meta shows that there is more than was counted, and nothing if there is not."""
    _, documents = seeds(*stores, 1)
    documents.post(message="hello")
    assert "total_is_capped" not in (await get(app, "/search?q=hello"))[2]["meta"]
    for _ in range(TOTAL_MAX):
        documents.post(message="hello")
    _, _, body = await get(app, "/search?q=hello")
    assert (body["data"]["total"], body["meta"]["total_is_capped"]) == (TOTAL_MAX, True)


class Client:
    """A client that sends a request and may disconnect before the response."""

    def __init__(self, app, path):
        self._disconnected = asyncio.Event()
        self.task = asyncio.create_task(self._get(app, path))

    def disconnect(self):
        self._disconnected.set()

    async def _get(self, app, path):
        with suppress(IndexError):  # there is no response if the client has disconnected
            await get(app, path, receive=self._receive)

    async def _receive(self):
        await self._disconnected.wait()
        return {"type": "http.disconnect"}


class Search:
    """Searches that hang until they are released or cancelled, and how many were cancelled."""

    def __init__(self):
        self.released = asyncio.Event()
        self.cancelled = 0

    async def find(self, *_arguments, **_names):
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Result(data=Matches(documents=[], total=0, total_is_capped=False))


@pytest.fixture
async def searching(stores, monkeypatch):
    """Return an application whose searches hang, its limits, and the searches."""
    search, made, metrics = Search(), limits(), Metrics()
    monkeypatch.setattr(FakeSearch, "cheeps", search.find)
    monkeypatch.setattr(FakeSearch, "authors", search.find)
    redis, mongo = stores
    bus = query_bus(FakeRedisViews(redis), FakeMongoViews(mongo), metrics, made)
    streams = streams_of(FakeRedisViews(redis), made, metrics)
    return build_app(bus, streams, {}, nothing, metrics, {}), made, search


async def until(condition):
    """Wait for a condition, 10 s at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.001)
