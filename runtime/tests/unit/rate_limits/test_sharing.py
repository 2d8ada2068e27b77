"""Buckets that replicas share."""

import asyncio
import math
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.rate_limits.policy import Policy, RateLimitedError
from cheeper_runtime.rate_limits.sharing import Shared, SharedBucketsUnavailableError, Sharing

BURST, RATE = 100, 10
POLICY = Policy(name="default", burst=BURST, per_second=RATE)
FACTOR = 1.2
REPLICAS = 4


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class MemoryStore:
    """The common buckets in memory, counted in tokens: another algorithm than the one under test has."""

    def __init__(self, clock, replicas=REPLICAS):
        self.clock, self.replicas, self.calls, self.broken = clock, replicas, 0, False
        self._tokens = defaultdict(lambda: (math.inf, 0.0))

    async def apply(self, uses):
        self.calls += 1
        if self.broken:
            raise SharedBucketsUnavailableError("broken")
        return self.replicas, [self._use(use) for use in uses]

    def _use(self, use):
        seconds, at = self._tokens[use.key]
        left = min(seconds + self.clock() - at, use.burst_seconds)
        taken = not use.conditional or left - use.seconds >= -1e-9
        left = min(left - use.seconds, use.burst_seconds) if taken else left
        self._tokens[use.key] = left, self.clock()
        return Shared(use.burst_seconds - left, taken)


class Replicas:
    """Replicas over one store, driven step by step."""

    def __init__(self, number=REPLICAS):
        self.clock = Clock()
        self.store = MemoryStore(self.clock, number)
        self.limiters = [RateLimiter(POLICY, clock=self.clock) for _ in range(number)]
        self.sharings = [Sharing(self.store, [limiter]) for limiter in self.limiters]
        self.admitted = []  # (time, cost)

    async def start(self):
        await self.exchange_all()
        return self

    async def exchange_all(self):
        for sharing in self.sharings:
            await sharing.exchange(everything=True)

    async def request(self, replica, cost, *, refund=0):
        """Send a request to a replica, and run its exchange if the request waits for it."""
        task = asyncio.ensure_future(self.limiters[replica].take("ann", cost))
        await asyncio.sleep(0)
        if not task.done():
            await self.sharings[replica].exchange(everything=False)
        try:
            bucket = await task
        except RateLimitedError:
            return False
        if refund:
            self.limiters[replica].refund(bucket, refund)
        self.admitted.append((self.clock.now, cost - refund))
        return True

    def worst_factor(self):
        """Return the most that was admitted in any window, as a multiple of what one bucket would admit."""
        totals = defaultdict(int)
        for at, cost in self.admitted:
            totals[at] += cost
        times = sorted(totals)
        worst = 0.0
        for first, start in enumerate(times):
            total = 0
            for end in times[first:]:
                total += totals[end]
                worst = max(worst, total / (BURST + RATE * (end - start)))
        return worst


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["request", "request", "request", "timeline", "exchange", "wait"]),
        st.integers(0, REPLICAS - 1),
        st.sampled_from([1, 3, 5, 20]),
        st.integers(1, 30),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(STEPS)
async def test_replicas_admit_at_most_a_fifth_more_than_one_bucket(steps):
    """However requests, reports and pauses are mixed, no window has over 1.2 times what one bucket admits."""
    replicas = await Replicas().start()
    for kind, replica, cost, times in steps:
        if kind == "request":
            for _ in range(times):
                await replicas.request(replica, cost)
        elif kind == "timeline":
            await replicas.request(replica, 10, refund=9)
        elif kind == "exchange":
            await replicas.sharings[replica].exchange(everything=True)
        else:
            replicas.clock.now += cost / 8
    assert replicas.worst_factor() <= FACTOR + 1e-6


@pytest.mark.parametrize("number", [1, 2, 4, 16])
async def test_a_flood_over_all_replicas_gets_what_one_bucket_admits(number):
    """A caller who sends as much as it can gets the burst and the rate, within a fifth, from any number of replicas."""
    replicas = await Replicas(number).start()
    for _ in range(60):
        for replica in range(number):
            while await replicas.request(replica, 1):
                pass
        replicas.clock.now += 1
        await replicas.exchange_all()
    total, one_bucket = sum(cost for _, cost in replicas.admitted), BURST + RATE * 59
    assert one_bucket / FACTOR <= total <= one_bucket * FACTOR
    assert replicas.worst_factor() <= FACTOR + 1e-6


async def test_a_usual_request_does_not_wait():
    """A caller within the allowance is served without a call of the store, and its use is reported once a second."""
    replicas = await Replicas().start()
    before = replicas.store.calls
    assert await replicas.request(0, 1)
    assert replicas.store.calls == before
    await replicas.sharings[0].exchange(everything=True)
    assert replicas.limiters[0].unreported == {}
    await replicas.sharings[1].exchange(everything=True)
    assert replicas.store.calls == before + 2


async def test_a_refused_flood_does_not_reach_the_store():
    """Once a bucket is empty, refusals cost nothing but local work."""
    replicas = await Replicas().start()
    while await replicas.request(0, 1):
        pass
    before = replicas.store.calls
    for _ in range(1000):
        assert not await replicas.request(0, 1)
    assert replicas.store.calls == before


async def test_without_its_store_each_process_limits_alone():
    """A store that fails stops nothing: the process's own buckets decide, also about requests that wait for it."""
    replicas = await Replicas().start()
    replicas.store.broken = True
    admitted = 0
    while await replicas.request(0, 1):
        admitted += 1
    assert admitted == BURST
    assert not replicas.sharings[0].available
    assert await replicas.request(1, BURST)


async def test_a_store_that_returns_is_used_again():
    """After an outage the replicas share again with the next report."""
    replicas = await Replicas().start()
    replicas.store.broken = True
    await replicas.exchange_all()
    assert replicas.limiters[0].allowance is None
    replicas.store.broken = False
    await replicas.exchange_all()
    assert all(sharing.available for sharing in replicas.sharings)
    assert await replicas.request(0, BURST)
    assert not await replicas.request(1, BURST)


async def test_the_end_of_the_sharing_leaves_no_request_waiting():
    """When the process ends, a request that waits for the store is decided by the process alone."""
    replicas = await Replicas().start()
    called = asyncio.Event()

    async def hang(_uses):
        called.set()
        await asyncio.get_running_loop().create_future()

    waiting = asyncio.create_task(replicas.limiters[0].take("ann", BURST))
    await asyncio.sleep(0)
    replicas.store.apply = hang
    running = asyncio.create_task(replicas.sharings[0].run())
    await called.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await waiting
    assert replicas.limiters[0].allowance is None
