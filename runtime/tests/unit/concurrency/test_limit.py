import asyncio
import selectors

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheeper_runtime.concurrency.limit import BUCKETS, ConcurrencyLimit, OverloadedError

ARRIVALS = st.lists(
    st.tuples(
        st.floats(0, 0.05),  # the pause before it
        st.sampled_from([0.0, 0.001, 0.01, 0.1, 3.0]),  # the time that its work takes
        st.one_of(st.none(), st.floats(0, 0.5)),  # the time after which its client leaves
    ),
    max_size=60,
)


class SimulatedTime(selectors.SelectSelector):
    """Waits for nothing: the time that a loop would wait has passed at once."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        events = super().select(0)
        if not events and timeout:
            self.now += timeout
        return events


class SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self._simulated = SimulatedTime()
        super().__init__(self._simulated)

    def time(self):
        return self._simulated.now


def simulate(scenario):
    """Run a coroutine of a limit's clock in simulated time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(scenario(runner.get_loop().time))


async def outcome_of(task):
    (result,) = await asyncio.gather(task, return_exceptions=True)
    return result


@given(ARRIVALS, st.integers(1, 4), st.sampled_from([0.0, 0.05, 0.5]))
@settings(max_examples=200, deadline=None)
def test_whatever_arrives_the_limits_hold(arrivals, at_once, queue_seconds):
    """At most `at_once` run, in the order of arrival, nothing waits longer than `queue_seconds`, no place is lost, and
    what was refused or left in the queue has not begun.
    """

    async def scenario(clock):
        limit, running, begun, waits = (
            ConcurrencyLimit("a", at_once=at_once, queue_seconds=queue_seconds, clock=clock),
            0,
            [],
            [],
        )

        async def work(number, arrived, seconds):
            nonlocal running
            running += 1
            assert running <= limit.in_flight <= at_once  # a place that was given counts at once
            begun.append(number)
            waits.append(clock() - arrived)
            try:
                await asyncio.sleep(seconds)
            finally:
                running -= 1
            return number

        async def client(number, seconds, patience):
            async with asyncio.timeout(patience):
                return await limit.run(work, number, clock(), seconds)

        tasks = []
        for number, (pause, seconds, patience) in enumerate(arrivals):
            await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(client(number, seconds, patience)))
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        refused = [each for each in outcomes if isinstance(each, OverloadedError)]
        assert (limit.in_flight, limit.waiting, running) == (0, 0, 0)
        assert len(refused) == limit.refused
        assert begun == sorted(begun)
        assert all(wait <= queue_seconds + 1e-9 for wait in waits)
        for number, outcome in enumerate(outcomes):
            assert outcome == number or isinstance(outcome, OverloadedError | TimeoutError)
            assert not (isinstance(outcome, OverloadedError) and number in begun)

    simulate(scenario)


def test_the_queue_is_as_long_as_the_work_is_fast():
    """Of a burst, so many wait as can begin in time at the pace that was measured; the rest is refused at once."""

    async def scenario(clock):
        limit = ConcurrencyLimit("a", at_once=10, queue_seconds=1.05, clock=clock)
        for _ in range(20):
            await limit.run(asyncio.sleep, 0.1)
        burst = [asyncio.create_task(limit.run(asyncio.sleep, 0.1, "done")) for _ in range(1_000)]
        await asyncio.sleep(0)
        assert (limit.in_flight, limit.waiting, limit.refused) == (10, 104, 886)
        began = clock()
        outcomes = await asyncio.gather(*burst, return_exceptions=True)
        assert outcomes[:110] == ["done"] * 110
        assert limit.refused == 890
        assert clock() - began == pytest.approx(1.1)

    simulate(scenario)


def test_work_that_hangs_is_noticed_by_its_age():
    """If nothing ends any more, those that wait are refused after their time, and all others soon at once."""

    async def scenario(clock):
        limit, hanging = ConcurrencyLimit("a", at_once=2, queue_seconds=0.5, clock=clock), asyncio.Event()
        await limit.run(asyncio.sleep, 0.001)
        running = [asyncio.create_task(limit.run(hanging.wait)) for _ in range(2)]
        await asyncio.sleep(0.1)
        waiting = [asyncio.create_task(limit.run(asyncio.sleep, 0)) for _ in range(20)]
        await asyncio.sleep(0)
        assert (limit.in_flight, limit.waiting, limit.refused) == (2, 9, 11)
        arrived = clock()
        assert {type(await outcome_of(each)) for each in waiting} == {OverloadedError}
        assert clock() - arrived == pytest.approx(0.5)
        await asyncio.sleep(1)
        with pytest.raises(OverloadedError):
            await limit.run(asyncio.sleep, 0)
        hanging.set()
        await asyncio.gather(*running)
        assert await limit.run(asyncio.sleep, 0, "served") == "served"

    simulate(scenario)


def test_without_a_queue_all_beyond_the_limit_is_refused_at_once():
    """With `queue_seconds` = 0 the limit is only a number."""

    async def scenario(clock):
        limit = ConcurrencyLimit("waits", at_once=1, queue_seconds=0, clock=clock)
        first = asyncio.create_task(limit.run(asyncio.sleep, 1, "first"))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="too much concurrent work: waits") as raised:
            await limit.run(asyncio.sleep, 0)
        assert (raised.value.limit, limit.refused, clock()) == ("waits", 1, 0)
        assert await first == "first"

    simulate(scenario)


def test_the_time_in_the_queue_is_counted():
    """Work that waited is in the bucket of its time, and work that did not is in none."""

    async def scenario(clock):
        limit = ConcurrencyLimit("a", at_once=1, queue_seconds=1, clock=clock)
        await asyncio.gather(*(limit.run(asyncio.sleep, 0.2) for _ in range(3)))
        assert dict(zip((*BUCKETS, "more"), limit.queued, strict=True)) == dict.fromkeys((*BUCKETS, "more"), 0) | {
            0.25: 1,
            0.5: 1,
        }
        assert limit.queued_seconds == pytest.approx(0.6)

    simulate(scenario)


async def test_an_error_of_the_work_frees_its_place():
    """An error of the work is raised, and the next may begin."""

    async def fail():
        raise ValueError("no")

    limit = ConcurrencyLimit("a", at_once=1, queue_seconds=0)
    with pytest.raises(ValueError, match="no"):
        await limit.run(fail)
    assert limit.in_flight == 0
