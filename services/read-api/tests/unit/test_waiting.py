import asyncio
from collections import Counter

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from read_api.ops.metrics import Metrics
from read_api.query_bus.bus import QueryBus
from read_api.query_bus.query import Found, Query, StoreAwayError
from read_api.query_bus.read_your_writes import ASKED_AT_ONCE, Waiter, in_all

pytestmark = pytest.mark.proves(guarantee="read-your-writes")


class Settlements:
    """A view that says what was put into it, and counts how often it is asked, for what, and how many at once."""

    def __init__(self):
        self.settled = set()
        self.looks = 0
        self.asked = Counter()
        self.most_ids = self.most_at_once = self._now = 0
        self.away = False

    async def __call__(self, message_ids):
        self.looks += 1
        self.asked.update(message_ids)
        self.most_ids = max(self.most_ids, len(message_ids))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(0)  # as long as a store takes, others run
        self._now -= 1
        if self.away:
            raise StoreAwayError("redis", "away")
        return self.settled & set(message_ids)


@pytest.fixture
def settlements():
    return Settlements()


@pytest.fixture
def waiter(settlements):
    return Waiter(settlements)


async def passed(looks, settlements):
    """Wait until the view was asked some more."""
    target = settlements.looks + looks
    await until(lambda: settlements.looks >= target)


async def until(condition):
    """Wait for a condition, 10 s at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.001)


async def test_a_wait_ends_when_the_command_is_settled(waiter, settlements):
    """Who waits is let go by the command that it waits for, not by another."""
    waiting = asyncio.create_task(waiter.wait("a", 10))
    other = asyncio.create_task(waiter.wait("b", 10))
    await passed(2, settlements)
    settlements.settled.add("a")
    await asyncio.wait_for(waiting, 2)
    assert not other.done()
    other.cancel()


async def test_a_wait_ends_when_its_time_is_over(waiter):
    """No wait is longer than it was asked to be."""
    await asyncio.wait_for(waiter.wait("a", 0.02), 2)


async def test_no_seconds_are_no_wait(waiter):
    """A wait of no seconds returns."""
    await asyncio.wait_for(waiter.wait("a", 0), 2)


async def test_many_waits_share_one_loop(waiter, settlements):
    """However many wait, a look asks for all of them."""
    waits = [asyncio.create_task(waiter.wait(f"m{i % 50}", 10)) for i in range(500)]
    await passed(3, settlements)
    asked = settlements.looks
    settlements.settled.update(f"m{i}" for i in range(50))
    await asyncio.wait_for(asyncio.gather(*waits), 2)
    assert settlements.looks <= asked + 2


async def test_nobody_waiting_is_no_looking(waiter, settlements):
    """The loop ends with the last wait, and begins again with the next."""
    await waiter.wait("a", 0.01)
    await until(waiter._loop.done)
    settlements.settled.add("b")
    await asyncio.wait_for(waiter.wait("b", 10), 2)


async def test_a_store_that_goes_away_fails_all_waits(waiter, settlements):
    """Who waits on a store that is away learns it at once, and a later wait begins anew."""
    waits = [asyncio.create_task(waiter.wait(name, 10)) for name in ("a", "a", "b")]
    await passed(1, settlements)
    settlements.away = True
    results = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 2)
    assert [type(result) for result in results] == [StoreAwayError] * 3
    settlements.away = False
    settlements.settled.add("a")
    await asyncio.wait_for(waiter.wait("a", 10), 2)


async def test_a_cancelled_wait_leaves_nothing(waiter, settlements):
    """A client that goes away is not waited for any more, while another's wait for the same command goes on."""
    gone = asyncio.create_task(waiter.wait("a", 10))
    stays = asyncio.create_task(waiter.wait("a", 10))
    await passed(1, settlements)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert not stays.done()
    settlements.settled.add("a")
    await asyncio.wait_for(stays, 2)


@pytest.mark.parametrize("leaving", ["cancelled", "out of time"])
async def test_who_leaves_takes_nothing_from_who_stays(waiter, settlements, leaving):
    """Others' command is asked for as before, whether a reader of it goes away or has waited long enough; with the last
    of them it is forgotten.
    """
    stays = [asyncio.create_task(waiter.wait("a", 30)) for _ in range(2)]
    leaves = asyncio.create_task(waiter.wait("a", 30 if leaving == "cancelled" else 0))
    await passed(1, settlements)
    if leaving == "cancelled":
        leaves.cancel()
    await asyncio.gather(leaves, return_exceptions=True)
    asked = settlements.asked["a"]
    await until(lambda: settlements.asked["a"] >= asked + 3)
    settlements.settled.add("a")
    await asyncio.wait_for(asyncio.gather(*stays), 10)
    assert not waiter._wanted


async def test_closing_lets_everybody_go(waiter, settlements):
    """At the process's end nobody waits on, and nobody begins to."""
    waits = [asyncio.create_task(waiter.wait(name, 10)) for name in ("a", "b")]
    await passed(1, settlements)
    waiter.close()
    await asyncio.wait_for(asyncio.gather(*waits), 2)
    await asyncio.wait_for(waiter.wait("c", 10), 2)


async def test_in_all_is_in_every_view():
    """What waits for several views is settled once all of them have it."""
    one, other = Settlements(), Settlements()
    one.settled, other.settled = {"a", "b"}, {"b", "c"}
    assert await in_all(one, other)(["a", "b", "c"]) == {"b"}


async def test_a_thousand_readers_are_one_loop_that_asks_in_bounded_looks(waiter, settlements):
    """However many wait, for however many commands, no two looks are at once, none asks for more than may be asked at
    once, and a command is asked for no more often than if it were waited for alone.
    """
    waits = [asyncio.create_task(waiter.wait(f"m{i}", 30)) for i in range(1_000)]
    waits += [asyncio.create_task(waiter.wait("m0", 30)) for i in range(1_000)]
    await until(lambda: min(settlements.asked[f"m{i}"] for i in range(1_000)) >= 10)
    assert settlements.most_ids <= ASKED_AT_ONCE
    assert settlements.most_at_once == 1
    assert max(settlements.asked.values()) <= min(settlements.asked.values()) + 1
    settlements.settled.update(f"m{i}" for i in range(1_000))
    await asyncio.wait_for(asyncio.gather(*waits), 10)
    assert not waiter._wanted


async def test_newcomers_are_no_burden_on_who_waits_long(waiter, settlements):
    """A command that was asked for often is asked for at its own pace, however many new ones come meanwhile."""
    old = asyncio.create_task(waiter.wait("old", 30))
    await until(lambda: settlements.asked["old"] >= 8)
    before, new = settlements.asked["old"], 0
    while new < 40:
        await waiter.wait(f"new{new}", 0.006)
        new += 1
    assert sum(settlements.asked[f"new{i}"] for i in range(new)) > 2 * (settlements.asked["old"] - before)
    old.cancel()


async def test_each_reader_looks_twice_and_no_more(waiter, settlements):
    """A reader is woken once, when its command is settled: it looks before its wait and after it."""
    handler = Handler(waiter, settlements)
    bus = QueryBus({Query: handler}, Metrics())

    async def while_there(awaited):
        await awaited

    asking = [asyncio.create_task(bus.ask(Query(after=f"m{i % 100}", timeout=60), while_there)) for i in range(1_000)]
    await until(lambda: len(settlements.asked) == 100)
    for first in range(0, 100, 10):
        settlements.settled.update(f"m{number}" for number in range(first, first + 10))
        await until(lambda first=first: sum(each.done() for each in asking) >= 10 * (first + 10))
    found = await asyncio.wait_for(asyncio.gather(*asking), 30)
    assert all(each.settled for each in found)
    assert set(handler.looks.values()) == {2 * 10}


async def test_a_thousand_clients_that_go_leave_nothing(waiter, settlements):
    """No command is kept, and no task: the loop ends with the last of them."""
    waits = [asyncio.create_task(waiter.wait(f"m{i % 10}", 30)) for i in range(1_000)]
    await until(lambda: len(settlements.asked) == 10)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert not waiter._wanted
    await until(waiter._loop.done)
    assert asyncio.all_tasks() == {asyncio.current_task()}


# Nothing is shrunk: each wait in vain takes 10 s.
@settings(deadline=None, derandomize=True, max_examples=40, phases=[Phase.generate])
@given(st.data())
def test_whatever_happens_a_wait_ends_by_its_command_or_its_time(data):
    """Readers come, go and are let go in any order, and the store is away at times: whoever returned early was settled,
    failed with the store or was closed, and nothing is left.
    """
    asyncio.run(play(data))


async def play(data):
    settlements = Settlements()
    waiter, readers, moves = Waiter(settlements), {}, ["come", "go", "settle", "fail", "pass"]
    for number in range(data.draw(st.integers(1, 15))):
        move, name = data.draw(st.sampled_from(moves)), data.draw(st.sampled_from("abc"))
        if move == "come":
            readers[asyncio.create_task(waiter.wait(name, 30))] = name
        elif move == "go" and readers:
            gone = data.draw(st.sampled_from(sorted(readers, key=lambda one: one.get_name())))
            gone.cancel()
        elif move == "settle":
            settlements.settled.add(f"{name}")
        elif move == "fail":
            settlements.away = bool(number % 2)
        else:
            await asyncio.sleep(0)
        for reader in [one for one in readers if one.done() and not one.cancelled() and one.exception() is None]:
            assert readers[reader] in settlements.settled
    settlements.away = False
    settlements.settled |= set("abc")
    results = await asyncio.wait_for(asyncio.gather(*readers, return_exceptions=True), 10)
    assert {type(one) for one in results} <= {type(None), asyncio.CancelledError, StoreAwayError}
    assert not waiter._wanted


class Handler:
    """Looks at a view, and counts the looks by what they wait for."""

    def __init__(self, waiter, settlements):
        self.waiter, self._settlements = waiter, settlements
        self.looks = Counter()

    async def look(self, query):
        self.looks[query.after] += 1
        return Found(data="here", settled=query.after in self._settlements.settled)
