import asyncio

import pytest

from read_api.queries.asking import StoreAwayError
from read_api.queries.waiting import Waiter, in_all


class Settlements:
    """A view that says what was put into it, and counts how often it is asked."""

    def __init__(self):
        self.settled = set()
        self.looks = 0
        self.away = False

    async def __call__(self, message_ids):
        self.looks += 1
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
    """Wait for a condition, 2 s at most."""
    async with asyncio.timeout(2):
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
