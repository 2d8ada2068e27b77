import asyncio
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from read_api_layout import limits

from read_api.ops.metrics import Metrics
from read_api.query_bus.bus import Handler, QueryBus
from read_api.query_bus.query import Query, Result, StoreUnavailableError
from read_api.query_bus.read_your_writes import BATCH_SIZE, Waiter, settled_in_all

pytestmark = pytest.mark.proves(guarantee="read-your-writes")


class View:
    """A view with settled commands that counts its polls, the commands in them, and the polls at a time."""

    def __init__(self):
        self.settled = set()
        self.polls = 0
        self.polled = Counter()
        self.most_ids = self.most_at_once = self._now = 0
        self.unavailable = False

    async def __call__(self, message_ids):
        self.polls += 1
        self.polled.update(message_ids)
        self.most_ids = max(self.most_ids, len(message_ids))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(0)  # other tasks run while a store is read
        self._now -= 1
        if self.unavailable:
            raise StoreUnavailableError("redis", "stopped")
        return self.settled & set(message_ids)


@pytest.fixture
def view():
    return View()


@pytest.fixture
def waiter(view):
    return Waiter(view)


async def polled(polls, view):
    """Wait until the view was polled some more times."""
    target = view.polls + polls
    await until(lambda: view.polls >= target)


async def until(condition):
    """Wait for a condition, 10 s at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.001)


async def test_a_wait_ends_when_the_command_is_settled(waiter, view):
    """A wait is ended by its own command, not by another one."""
    waiting = asyncio.create_task(waiter.wait("a", 10))
    other = asyncio.create_task(waiter.wait("b", 10))
    await polled(2, view)
    view.settled.add("a")
    await asyncio.wait_for(waiting, 8)
    assert not other.done()
    other.cancel()


async def test_a_wait_ends_when_its_time_is_over(waiter):
    """No wait is longer than its timeout."""
    await asyncio.wait_for(waiter.wait("a", 0.02), 8)


async def test_no_seconds_are_no_wait(waiter):
    """A wait with a timeout of zero returns."""
    await asyncio.wait_for(waiter.wait("a", 0), 8)


async def test_many_waits_share_one_loop(waiter, view):
    """One poll reads the commands of all waits."""
    waits = [asyncio.create_task(waiter.wait(f"m{i % 50}", 10)) for i in range(500)]
    await polled(3, view)
    asked = view.polls
    view.settled.update(f"m{i}" for i in range(50))
    await asyncio.wait_for(asyncio.gather(*waits), 8)
    assert view.polls <= asked + 2


async def test_without_waits_there_are_no_polls(waiter, view):
    """The loop ends with the last wait and begins again with the next one."""
    await waiter.wait("a", 0.01)
    await until(waiter._loop.done)
    view.settled.add("b")
    await asyncio.wait_for(waiter.wait("b", 10), 8)


async def test_an_unavailable_store_fails_all_waits(waiter, view):
    """All waits on an unavailable store fail at once, and a later wait works again."""
    waits = [asyncio.create_task(waiter.wait(name, 10)) for name in ("a", "a", "b")]
    await polled(1, view)
    view.unavailable = True
    results = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 8)
    assert [type(result) for result in results] == [StoreUnavailableError] * 3
    view.unavailable = False
    view.settled.add("a")
    await asyncio.wait_for(waiter.wait("a", 10), 8)


async def test_a_cancelled_wait_leaves_nothing(waiter, view):
    """A cancelled wait ends, while another wait for the same command goes on."""
    cancelled = asyncio.create_task(waiter.wait("a", 10))
    stays = asyncio.create_task(waiter.wait("a", 10))
    await polled(1, view)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert not stays.done()
    view.settled.add("a")
    await asyncio.wait_for(stays, 8)


@pytest.mark.parametrize("leaving", ["cancelled", "out of time"])
async def test_an_ended_wait_does_not_affect_the_others(waiter, view, leaving):
    """A command is polled as before if one of its waits is cancelled or times out, and dropped with the last wait."""
    stays = [asyncio.create_task(waiter.wait("a", 30)) for _ in range(2)]
    leaves = asyncio.create_task(waiter.wait("a", 30 if leaving == "cancelled" else 0))
    await polled(1, view)
    if leaving == "cancelled":
        leaves.cancel()
    await asyncio.gather(leaves, return_exceptions=True)
    asked = view.polled["a"]
    await until(lambda: view.polled["a"] >= asked + 3)
    view.settled.add("a")
    await asyncio.wait_for(asyncio.gather(*stays), 10)
    assert not waiter._awaited


async def test_closing_releases_all_waits(waiter, view):
    """At the end of the process all waits end, and no new one begins."""
    waits = [asyncio.create_task(waiter.wait(name, 10)) for name in ("a", "b")]
    await polled(1, view)
    waiter.close()
    await asyncio.wait_for(asyncio.gather(*waits), 8)
    await asyncio.wait_for(waiter.wait("c", 10), 8)


async def test_settled_in_all_is_settled_in_each_view():
    """A command is settled in several views once it is settled in each of them."""
    one, other = View(), View()
    one.settled, other.settled = {"a", "b"}, {"b", "c"}
    assert await settled_in_all(one, other)(["a", "b", "c"]) == {"b"}


async def test_a_thousand_waits_are_polled_in_bounded_batches(waiter, view):
    """With any number of waits and commands there is one poll at a time, no batch exceeds its limit, and a command is
    polled no more often than if it were the only one.
    """
    waits = [asyncio.create_task(waiter.wait(f"m{i}", 30)) for i in range(1_000)]
    waits += [asyncio.create_task(waiter.wait("m0", 30)) for i in range(1_000)]
    await until(lambda: min(view.polled[f"m{i}"] for i in range(1_000)) >= 10)
    assert view.most_ids <= BATCH_SIZE
    assert view.most_at_once == 1
    assert max(view.polled.values()) <= min(view.polled.values()) + 1
    view.settled.update(f"m{i}" for i in range(1_000))
    await asyncio.wait_for(asyncio.gather(*waits), 10)
    assert not waiter._awaited


async def test_polls_leave_half_of_the_time_to_others(view):
    """However long a poll takes, the next one begins no sooner than that time after its end."""
    loop, polls = asyncio.get_running_loop(), []

    async def slow(message_ids):
        began = loop.time()
        await asyncio.sleep(0.02)
        polls.append((began, loop.time()))
        return await view(message_ids)

    wait = asyncio.create_task(Waiter(slow).wait("a", 30))
    await polled(5, view)
    for (began, ended), (next_began, _) in pairwise(polls):
        assert next_began - ended >= (ended - began) * 0.9  # a timer may be a little early
    wait.cancel()


async def test_new_waits_do_not_cause_polls_for_old_ones(waiter, view):
    """A command that was polled often is polled at its own pace, however many new ones arrive meanwhile."""
    old = asyncio.create_task(waiter.wait("old", 30))
    await until(lambda: view.polled["old"] >= 8)
    before, new = view.polled["old"], 0
    while new < 40:
        await waiter.wait(f"new{new}", 0.006)
        new += 1
    assert sum(view.polled[f"new{i}"] for i in range(new)) > 2 * (view.polled["old"] - before)
    old.cancel()


async def test_each_request_reads_the_view_twice_at_most(waiter, view):
    """A request is woken once, when its command is settled: it reads the view before its wait and after it."""
    handler = Finds(view)
    bus = QueryBus({Query: Handler(handler.find, waiter, limits().redis)}, Metrics(), limits().waits)

    async def while_connected(awaited):
        return await awaited

    requests = [
        asyncio.create_task(bus.handle(Query(after=f"m{i % 100}", timeout=60), while_connected)) for i in range(1_000)
    ]
    await until(lambda: len(view.polled) == 100)
    for first in range(0, 100, 10):
        view.settled.update(f"m{number}" for number in range(first, first + 10))
        await until(lambda first=first: sum(each.done() for each in requests) >= 10 * (first + 10))
    found = await asyncio.wait_for(asyncio.gather(*requests), 30)
    assert all(each.settled for each in found)
    assert set(handler.lookups.values()) == {2 * 10}


async def test_a_thousand_cancelled_waits_leave_nothing(waiter, view):
    """No command and no task is left: the loop ends with the last wait."""
    waits = [asyncio.create_task(waiter.wait(f"m{i % 10}", 30)) for i in range(1_000)]
    await until(lambda: len(view.polled) == 10)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert not waiter._awaited
    await until(waiter._loop.done)
    assert asyncio.all_tasks() == {asyncio.current_task()}


# There is no shrinking, since each wait in vain takes 10 s.
@settings(deadline=None, derandomize=True, max_examples=40, phases=[Phase.generate])
@given(st.data())
def test_a_wait_ends_by_its_command_or_its_timeout(data):
    """Waits begin, are cancelled and are settled in any order, and the store is unavailable at times: a wait that ends
    early is settled or failed with the store, and nothing is left.
    """
    asyncio.run(play(data))


async def play(data):
    view = View()
    waiter, readers, moves = Waiter(view), {}, ["come", "go", "settle", "fail", "pass"]
    for number in range(data.draw(st.integers(1, 15))):
        move, name = data.draw(st.sampled_from(moves)), data.draw(st.sampled_from("abc"))
        if move == "come":
            readers[asyncio.create_task(waiter.wait(name, 30))] = name
        elif move == "go" and readers:
            cancelled = data.draw(st.sampled_from(sorted(readers, key=lambda one: one.get_name())))
            cancelled.cancel()
        elif move == "settle":
            view.settled.add(f"{name}")
        elif move == "fail":
            view.unavailable = bool(number % 2)
        else:
            await asyncio.sleep(0)
        for reader in [one for one in readers if one.done() and not one.cancelled() and one.exception() is None]:
            assert readers[reader] in view.settled
    view.unavailable = False
    view.settled |= set("abc")
    results = await asyncio.wait_for(asyncio.gather(*readers, return_exceptions=True), 10)
    assert {type(one) for one in results} <= {type(None), asyncio.CancelledError, StoreUnavailableError}
    assert not waiter._awaited


class Finds:
    """A handler that counts its look-ups by the command that they wait for."""

    def __init__(self, view):
        self._view = view
        self.lookups = Counter()

    async def find(self, query):
        self.lookups[query.after] += 1
        return Result(data="here", settled=query.after in self._view.settled)
