"""The limits of the query bus, over a look-up and a view that a test controls."""

import asyncio

import pytest

from cheeper_runtime.concurrency.limit import ConcurrencyLimit, OverloadedError
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.testing import RecordedTracer
from read_api.ops.metrics import Metrics
from read_api.query_bus.bus import Handler, QueryBus
from read_api.query_bus.query import Query, Result
from read_api.query_bus.read_your_writes import Waiter


class View:
    """A view whose look-ups take until they are released, with settled commands."""

    def __init__(self):
        self.settled = set()
        self.lookups = self.most_at_once = self._now = 0
        self.released = asyncio.Event()
        self.released.set()

    async def settled_commands(self, message_ids):
        return self.settled & set(message_ids)

    async def find(self, query):
        self.lookups += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(0)
        await self.released.wait()
        self._now -= 1
        return Result(data="here", settled=query.after is None or query.after in self.settled)


class Bus:
    """A bus of one query with three places for look-ups and ten for waits."""

    def __init__(self, queue_seconds=60, tracer=None):
        self.view, self.metrics = View(), Metrics()
        self.limit = ConcurrencyLimit("redis", at_once=3, queue_seconds=queue_seconds)
        self.waits = ConcurrencyLimit("waits", at_once=10, queue_seconds=0)
        handler = Handler(self.view.find, Waiter(self.view.settled_commands), self.limit)
        self._bus = QueryBus({Query: handler}, self.metrics, self.waits, tracer)

    def begin(self, **query):
        """Begin a query; return its task."""
        return asyncio.create_task(self._bus.handle(Query(**query), while_connected))


async def while_connected(awaited):
    return await awaited


async def until(condition):
    """Wait for a condition, 10 s at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.001)


@pytest.fixture
async def bus():
    return Bus()


async def test_look_ups_are_limited(bus):
    """No more look-ups run at once than the limit of their handler allows, and all of them are done."""
    results = await asyncio.gather(*(bus.begin() for _ in range(100)))
    assert {result.data for result in results} == {"here"}
    assert (bus.view.lookups, bus.view.most_at_once) == (100, 3)


async def test_a_wait_takes_no_place_of_a_look_up(bus):
    """While as many wait as may, all places for look-ups are free, and one more wait is refused at once."""
    waiting = [bus.begin(after=f"m{number}", timeout=60) for number in range(10)]
    await until(lambda: bus.waits.in_flight == 10)
    assert (bus.limit.in_flight, bus.limit.waiting) == (0, 0)
    assert (await bus.begin()).data == "here"
    with pytest.raises(OverloadedError, match="waits"):
        await bus.begin(after="m", timeout=60)
    assert not any(each.done() for each in waiting)
    bus.view.settled.update(f"m{number}" for number in range(10))
    assert all([(await each).settled for each in waiting])
    assert (bus.waits.in_flight, bus.metrics.waiting) == (0, 0)
    assert bus.metrics.waits == {"settled": 10, "refused": 1}


async def test_a_query_whose_effects_are_there_takes_no_slot_of_the_waits(bus):
    """Only a wait counts as a wait, so a query with `after` that need not wait is served while the waits are full."""
    waiting = [bus.begin(after=f"m{number}", timeout=60) for number in range(10)]
    await until(lambda: bus.waits.in_flight == 10)
    bus.view.settled.add("there")
    assert (await bus.begin(after="there")).settled
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert bus.waits.in_flight == 0


async def test_what_would_wait_for_too_long_is_refused():
    """Look-ups that hang take their own places only: the next are refused, and are served once the hanging ones end."""
    bus = Bus(queue_seconds=0)
    bus.view.released.clear()
    hanging = [bus.begin() for _ in range(3)]
    await until(lambda: bus.view.lookups == 3)
    with pytest.raises(OverloadedError, match="redis"):
        await bus.begin()
    bus.view.released.set()
    await asyncio.gather(*hanging)
    assert (await bus.begin()).data == "here"


async def test_a_query_that_waits_has_a_span_of_each_step():
    """The trace of a request shows its look-up, its wait, and the look-up after that."""
    tracer = RecordedTracer()
    bus = Bus(tracer=tracer)
    with tracer.request("GET /", None, {}):
        waiting = bus.begin(after="command", timeout=60)
        await until(lambda: bus.view.lookups == 1)
        bus.view.settled.add("command")
        await waiting
    spans = {span.name: span for span in tracer.ended()}
    assert tracer.tree() == {"GET /": None, "query Query": "GET /", "wait": "GET /"}
    looked_up = [span.attributes[names.SETTLED] for span in tracer.ended() if span.name == "query Query"]
    assert looked_up == [False, True]
    assert spans["wait"].attributes[names.MESSAGE_ID] == "command"


async def test_a_request_that_is_not_recorded_has_no_spans():
    """A look-up and a wait begin no trace of their own."""
    tracer = RecordedTracer()
    await Bus(tracer=tracer).begin(after="command", timeout=0)
    assert tracer.ended() == []
