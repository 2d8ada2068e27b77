"""The token buckets of one process."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.rate_limits.policy import Policy, RateLimitedError

POLICY = Policy(name="default", burst=100, per_second=10)
STEPS = st.lists(st.tuples(st.sampled_from([0, 0, 0.125, 1, 7]), st.sampled_from([1, 3, 5, 20])), max_size=200)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def make(**kwargs):
    clock = Clock()
    return RateLimiter(POLICY, clock=clock, **kwargs), clock


def remaining(limiter, caller):
    """Return the units that the level of the caller's bucket exposes."""
    return int(limiter.level(limiter.bucket(caller)).partition(b"r=")[2].partition(b";")[0])


async def admits(limiter, caller, cost):
    try:
        await limiter.take(caller, cost)
    except RateLimitedError:
        return False
    return True


@settings(deadline=None)
@given(STEPS)
async def test_it_decides_as_a_bucket_of_tokens_does(steps):
    """A request is admitted exactly if a bucket, counted token by token, has enough for it."""
    limiter, clock = make()
    tokens = 100.0
    for seconds, cost in steps:
        clock.now += seconds
        tokens = min(100.0, tokens + 10 * seconds)
        enough = tokens >= cost
        assert await admits(limiter, "ann", cost) == enough
        tokens -= cost if enough else 0
        assert remaining(limiter, "ann") == int(tokens + 1e-6)


async def test_a_refusal_names_the_time_after_which_it_is_admitted():
    """The request is admitted after that time, and not a second before it."""
    limiter, clock = make()
    await limiter.take("ann", 100)
    with pytest.raises(RateLimitedError) as refused:
        await limiter.take("ann", 15)
    assert (refused.value.policy, refused.value.retry_after, limiter.refused) == ("default", 2, 1)
    clock.now += 1
    assert not await admits(limiter, "ann", 15)
    clock.now += 1
    assert await admits(limiter, "ann", 15)


async def test_callers_have_buckets_of_their_own():
    """An empty bucket is its caller's alone."""
    limiter, _ = make()
    await limiter.take("ann", 100)
    assert not await admits(limiter, "ann", 1)
    assert await admits(limiter, "bob", 100)


async def test_what_is_put_back_can_be_taken_again():
    """A refund restores the level that was there before."""
    limiter, _ = make()
    limiter.refund(await limiter.take("ann", 100), 9)
    assert remaining(limiter, "ann") == 9
    assert await admits(limiter, "ann", 9)
    assert not await admits(limiter, "ann", 1)


async def test_memory_is_bounded():
    """However many callers come, the process has no more buckets than it may."""
    limiter, _ = make(buckets_max=10)
    for caller in range(1000):
        await limiter.take(str(caller), 100)
    assert len(limiter) == 10
    assert not await admits(limiter, "999", 1)


async def test_a_level_is_a_structured_field():
    """A level names its policy, what remains, and the whole seconds until the bucket is full."""
    limiter, clock = make()
    bucket = await limiter.take("ann", 3)
    assert limiter.level(bucket) == b'"default";r=97;t=1'
    clock.now += 1
    assert limiter.level(bucket) == b'"default";r=100;t=0'
    assert POLICY.declared == '"default";q=100;w=10'
