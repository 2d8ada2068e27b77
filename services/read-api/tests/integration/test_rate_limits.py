"""Buckets that replicas share in a real server."""

import asyncio

import pytest
from redis import Redis

from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.rate_limits.policy import Policy, RateLimitedError
from cheeper_runtime.rate_limits.sharing import SharedBucketsUnavailableError, Sharing, Use
from cheeper_runtime.rate_limits.valkey import ValkeyStore

pytestmark = pytest.mark.proves(guarantee="limits")

HOUR = 3600.0
"""The burst of these tests, in seconds of the rate: what flows in while a test runs does not count."""


@pytest.fixture
async def stores(redis_url, redis_prefix):
    """Return the stores of two replicas."""
    both = [ValkeyStore(redis_url, redis_prefix) for _ in range(2)]
    yield both
    for store in both:
        await store.close()


async def test_uses_are_taken_in_their_order_by_all_replicas(stores):
    """A conditional use is taken if there is enough, another in any case, and all replicas see the same bucket."""
    one, two = stores
    _, (first,) = await one.apply([Use("ann", HOUR / 2, HOUR)])
    _, (kept, refused, other) = await two.apply(
        [
            Use("ann", HOUR / 4, HOUR, conditional=True),
            Use("ann", HOUR / 2, HOUR, conditional=True),
            Use("bob", HOUR, HOUR, conditional=True),
        ]
    )
    assert [each.taken for each in (first, kept, refused, other)] == [True, True, False, True]
    _, (over,) = await one.apply([Use("ann", HOUR / 2, HOUR)])
    _, (back,) = await one.apply([Use("ann", -HOUR, HOUR)])
    expected = [1 / 2, 3 / 4, 3 / 4, 1, 5 / 4, 1 / 4]
    assert [each.full_in / HOUR for each in (first, kept, refused, other, over, back)] == pytest.approx(
        expected, abs=0.05
    )


async def test_a_bucket_expires_once_it_is_full(stores, redis_url, redis_prefix):
    """A full bucket has no key, and any other one expires when it is full."""
    await stores[0].apply([Use("ann", HOUR / 2, HOUR), Use("bob", 1, HOUR), Use("bob", -2, HOUR)])
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = sorted(redis.scan_iter(f"{redis_prefix}*"))
        assert keys == [f"{redis_prefix}of:ann", f"{redis_prefix}replicas"]
        assert HOUR / 2 - 60 < redis.ttl(keys[0]) <= HOUR / 2 + 1


async def test_the_store_counts_the_replicas(stores):
    """A replica is counted from its first call on."""
    one, two = stores
    assert [(await store.apply([]))[0] for store in (one, two, one)] == [1, 2, 2]


async def test_two_replicas_share_a_flood(stores):
    """Two replicas that are flooded at once admit together what one bucket admits, within a fifth."""
    policy = Policy(name="default", burst=600, per_second=1 / 60)
    limiters = [RateLimiter(policy), RateLimiter(policy)]
    sharings = [Sharing(store, [limiter]) for store, limiter in zip(stores, limiters, strict=True)]
    for sharing in (*sharings, *sharings):
        await sharing.exchange(everything=True)
    running = [asyncio.create_task(sharing.run()) for sharing in sharings]

    async def request(number):
        try:
            await limiters[number % 2].take("ann", 1)
        except RateLimitedError:
            return 0
        return 1

    admitted = sum(await asyncio.gather(*map(request, range(2000))))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert 500 <= admitted <= 720


async def test_a_store_that_is_not_there_is_unavailable():
    """An unavailable server is reported as such, and each process limits alone."""
    store = ValkeyStore("redis://127.0.0.1:1/0")
    with pytest.raises(SharedBucketsUnavailableError):
        await store.apply([])
    await store.close()
