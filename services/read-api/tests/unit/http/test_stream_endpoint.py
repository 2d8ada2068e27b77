"""Streams over HTTP, as an ASGI server would run them."""

import asyncio
from functools import partial
from itertools import pairwise

import msgspec
import pytest
from read_api_fakes import FakeMongo, FakeMongoViews, FakeRedis, FakeRedisViews
from read_api_layout import limits, new_id
from read_api_streams import READER, FakeChanges, FakeTimelines

from cheeper_contracts.http.routes import TIMELINE_STREAM
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.tokens.errors import InvalidTokenError
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.testing import MemoryIssuer
from cheeper_runtime.tokens.verifier import Verifier
from read_api.bootstrap import query_bus
from read_api.http import stream_endpoint
from read_api.http.app import build_app
from read_api.ops.metrics import Metrics
from read_api.queries.timeline import Timeline
from read_api.query_bus.query import StoreUnavailableError
from read_api.streams import stream, timeline_stream
from read_api.streams.streams import Streams
from read_api.streams.timeline_stream import TimelineStream

pytestmark = pytest.mark.proves(guarantee="streams")

AUTHOR = "00000000-0000-4000-8000-000000000001"
PATH = TIMELINE_STREAM.path.format(author_id=READER)
UNAVAILABLE, INVALID = 503, 422


class Service:
    """The application over a timeline in memory."""

    def __init__(self, *, at_once=10, verifier=None):
        self.timelines, self.metrics = FakeTimelines(), Metrics()
        self.limit = ConcurrencyLimit("streams", at_once=at_once, queue_seconds=0)
        makes = {Timeline: partial(TimelineStream, timelines=self.timelines)}
        self.streams = Streams(makes, self._subscribe, self.limit, 2, self.metrics)
        bus = query_bus(FakeRedisViews(FakeRedis()), FakeMongoViews(FakeMongo()), self.metrics, limits())
        self.app = build_app(bus, self.streams, {}, nothing, self.metrics, {}, verifier=verifier)

    def _subscribe(self, receive):
        self.changes = FakeChanges(receive)
        self.timelines.receive = self.changes.publish
        return self.changes


async def nothing():
    """Close no server."""


class Request:
    """A request whose client receives all, until it disconnects or stalls."""

    def __init__(self, service, path=PATH, *, method="GET", headers=()):
        self.sent, self.reads, self._left, self._arrived = [], asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.reads.set()
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": raw,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }
        self.done = asyncio.create_task(service.app(scope, self._receive, self._send))

    async def _receive(self):
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.sent.append(message)
        self._arrived.set()
        await self.reads.wait()

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def headers(self):
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self):
        return b"".join(each.get("body", b"") for each in self.sent)

    @property
    def events(self):
        blocks = [
            dict(line.split(": ", 1) for line in block.split("\n")) for block in self._blocks() if "data: " in block
        ]
        return [(block["event"], msgspec.json.decode(block["data"]), block["id"]) for block in blocks]

    def _blocks(self):
        return [block for block in self.body.decode().split("\n\n") if block]

    async def until(self, condition):
        """Wait until something holds of what was received."""
        async with asyncio.timeout(10):
            while not condition():
                self._arrived.clear()
                await self._arrived.wait()

    async def received(self, number):
        await self.until(lambda: self.sent and len(self.events) >= number)
        return self.events

    async def leave(self):
        self._left.set()
        await self.done


@pytest.fixture
def service():
    return Service()


async def test_a_stream_begins_with_a_refresh_and_goes_on_with_what_changes(service):
    """A cheep has the form of lists; an edit, a deletion, a follow and an unfollow say what changed."""
    request = Request(service)
    await request.received(1)
    entry = service.timelines.put(5, AUTHOR)
    service.timelines.edit(entry)
    service.timelines.delete(entry)
    service.timelines.unfollow(AUTHOR)
    service.timelines.follow(AUTHOR, [1])
    names = [name for name, _, _ in await request.received(7)]
    assert names == ["refresh", "cheep", "edited", "deleted", "unfollowed", "followed", "refresh"]
    data = [data for _, data, _ in request.events]
    assert data[1].keys() == {
        *("cheep_id", "cheep_date", "cheep_message", "author_id", "author_username", "in_reply_to", "edited_at"),
        "posted_at",
    }
    assert data[3] == {"cheep_id": data[1]["cheep_id"]}
    assert data[4] == data[5] == {"author_id": AUTHOR}
    assert (request.status, request.headers["content-type"]) == (200, "text/event-stream")
    assert request.headers["cache-control"] == "no-store"
    await request.leave()
    assert service.metrics.streams_ended == {"disconnected": 1}
    assert service.changes.readers == []
    assert service.limit.in_flight == 0


@pytest.mark.parametrize("place", ["header", "query"])
async def test_a_stream_resumes_behind_the_last_event(service, place):
    """Last-Event-ID, or `cursor`, is where the client is."""
    first = Request(service)
    await first.received(1)
    service.timelines.put(5, AUTHOR)
    last_id = (await first.received(2))[-1][2]
    await first.leave()
    service.timelines.put(6, AUTHOR)
    headers = {"Last-Event-ID": last_id} if place == "header" else {}
    again = Request(service, PATH if headers else f"{PATH}?cursor={last_id}", headers=headers.items())
    assert [name for name, _, _ in await again.received(1)] == ["cheep"]
    await again.leave()


@pytest.mark.parametrize(
    ("path", "header", "field"),
    [
        (f"{PATH}?cursor=x", "", "cursor"),
        (PATH, "x" * 52, "Last-Event-ID"),
        (f"{PATH}?after={new_id()}", "", "after"),
        ("/author/me/timeline/stream", "", "author_id"),
    ],
)
async def test_a_wrong_request_is_refused_before_the_stream_begins(service, path, header, field):
    """The response is the error of any other request."""
    headers = [("Last-Event-ID", header[:51] + "!")] if header else []
    request = Request(service, path, headers=headers)
    await request.done
    assert request.status == INVALID
    assert [each["field"] for each in msgspec.json.decode(request.body)["data"]["fields"]] == [field]


async def test_a_silent_stream_sends_keep_alives(service, monkeypatch):
    """A comment says that the stream lives."""
    monkeypatch.setattr(timeline_stream.TimelineStream.__init__, "__defaults__", (0.001,))
    request = Request(service)
    await request.until(lambda: request.body.count(b": keep-alive\n\n") >= 2)
    await request.leave()


async def test_an_author_may_have_so_many_streams_and_the_process_so_many(service):
    """One more is refused with 503 and Retry-After, and there is a place once one ends."""
    mine = [Request(service) for _ in range(2)]
    for each in mine:
        await each.received(1)
    refused = Request(service)
    await refused.done
    assert (refused.status, "retry-after" in refused.headers) == (UNAVAILABLE, True)
    assert msgspec.json.decode(refused.body)["data"]["code"] == "overloaded"
    assert service.metrics.streams_refused == 1
    await mine[0].leave()
    again = Request(service)
    await again.received(1)

    full = Service(at_once=1)
    first = Request(full)
    await first.received(1)
    other = Request(full, TIMELINE_STREAM.path.format(author_id=AUTHOR))
    await other.done
    assert (other.status, full.limit.refused) == (UNAVAILABLE, 1)
    for each in (mine[1], again, first):
        await each.leave()


async def test_a_stream_that_is_read_too_slowly_ends_with_a_position(service, monkeypatch):
    """Of what waits for it only so much is kept; the client resumes behind the last event that it received."""
    monkeypatch.setattr(stream, "PENDING_MAX", 5)
    slow = Request(service)
    await slow.received(1)
    slow.reads.clear()
    for date in range(10, 20):
        service.timelines.put(date, AUTHOR)
    slow.reads.set()
    await slow.done
    assert service.metrics.streams_ended == {"too_slow": 1}
    last = slow.events[-1][2]
    again = Request(service, headers=[("Last-Event-ID", last)])
    received = await again.received(10 - len(slow.events) + 1)
    assert {name for name, _, _ in received} == {"cheep"}
    await again.leave()


async def test_the_end_of_the_process_ends_all_streams_without_loss(service):
    """Each response is complete, a stream that is opened meanwhile ends at once, and a client resumes elsewhere."""
    request = Request(service)
    await request.received(1)
    service.streams.close()
    service.timelines.put(5, AUTHOR)
    await request.done
    assert request.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    late = Request(service)
    await late.done
    assert (late.status, late.events) == (200, [])
    assert service.metrics.streams_ended == {"drained": 2}
    replica = Service()
    replica.timelines.records = service.timelines.records
    resumed = Request(replica, headers=[("Last-Event-ID", request.events[-1][2])])
    assert [name for name, _, _ in await resumed.received(1)] == ["cheep"]
    await resumed.leave()


async def test_a_store_that_is_unavailable_opens_no_stream_and_ends_one(service):
    """Before the stream begins that is a 503; later its end, since nobody knows what has changed."""
    request = Request(service)
    await request.received(1)
    service.timelines.unavailable = StoreUnavailableError("redis", "gone")
    refused = Request(service)
    await refused.done
    assert (refused.status, msgspec.json.decode(refused.body)["data"]["code"]) == (UNAVAILABLE, "unavailable")
    service.timelines.switch()
    await request.done
    assert request.sent[-1]["more_body"] is False
    assert service.metrics.streams_ended == {"store_unavailable": 1}


async def test_an_unconfirmed_subscription_opens_no_stream(service):
    """A stream that might miss something does not begin."""
    service.changes.unavailable = StoreUnavailableError("redis", "no reply")
    request = Request(service)
    await request.done
    assert (request.status, service.changes.readers) == (UNAVAILABLE, [])


async def test_each_client_waits_for_another_time_before_it_connects_again(service):
    """The clients of a process that ends do not all come at once."""
    requests = [Request(service, TIMELINE_STREAM.path.format(author_id=new_id())) for _ in range(8)]
    pauses = []
    for request in requests:
        await request.received(1)
        pauses.append(int(request.body.partition(b"\n")[0].removeprefix(b"retry: ")))
        await request.leave()
    assert any(a != b for a, b in pairwise(pauses))
    assert all(500 <= pause <= 2_000 for pause in pauses)


async def test_head_begins_no_stream(service):
    """The response to HEAD has the headers of a stream and ends."""
    request = Request(service, method="HEAD")
    await request.done
    assert (request.status, request.headers["content-type"], request.events) == (200, "text/event-stream", [])


@pytest.mark.proves(guarantee="identity")
async def test_with_tokens_a_stream_is_for_its_author_until_the_token_ends(monkeypatch):
    """Nobody else opens it, and it ends once its token is not good any more."""
    issuer = MemoryIssuer()
    verifier = Verifier([issuer.issuer], key_set=partial(KeySet, fetch_set=issuer.fetch))
    service = Service(verifier=verifier)
    for token, status in ((None, 401), (issuer.token(AUTHOR), 403)):
        headers = [("Authorization", f"Bearer {token}")] if token else []
        refused = Request(service, headers=headers)
        await refused.done
        assert refused.status == status
    monkeypatch.setattr(timeline_stream.TimelineStream.__init__, "__defaults__", (0.001,))
    monkeypatch.setattr(stream_endpoint, "KEEP_ALIVE_SECONDS", 0)
    request = Request(service, headers=[("Authorization", f"Bearer {issuer.token(READER)}")])
    await request.received(1)
    monkeypatch.setattr(verifier, "verify", expired)
    await request.done
    assert service.metrics.streams_ended == {"expired": 1}


async def expired(_token):
    raise InvalidTokenError("The token has expired")
