"""The limits of a service."""

import pytest

from cheeper_runtime.rate_limits.callers import LOOPBACK, Callers
from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.rate_limits.limits import LimitedRequest, RateLimits
from cheeper_runtime.rate_limits.policy import Policy, RateLimitedError


def make():
    """Return limits that hardly refill."""
    general = RateLimiter(Policy(name="default", burst=10, per_second=1e-6))
    join = RateLimiter(Policy(name="join", burst=2, per_second=1e-6))
    return RateLimits(general, Callers(LOOPBACK, b"x-client"), {"join": join})


def of(limits, actor=None, address=b"1.2.3.4"):
    return LimitedRequest(limits, actor, "127.0.0.1", [(b"x-client", address)])


async def test_a_limit_of_its_own_counts_the_client_for_any_caller():
    """Many actors of one address share a request's own limit, and each has a bucket of the general one. A refusal by
    either takes nothing.
    """
    limits = make()
    for actor in ("ann", "bob"):
        await of(limits, actor).take(10, own="join")
    limited = of(limits, "cid")
    with pytest.raises(RateLimitedError) as refused:
        await limited.take(1, own="join")
    assert refused.value.policy == "join"
    assert dict(limited.fields())[b"ratelimit"].startswith(b'"default";r=10;t=')
    await of(limits, "cid", b"1.2.3.5").take(1, own="join")


async def test_the_fields_have_what_was_charged():
    """A request that was refused has the fields too, one that was not charged has none."""
    limits = make()
    limited = of(limits)
    assert limited.fields() == ()
    await limited.take(4)
    limited.refund(3)
    assert dict(limited.fields())[b"ratelimit"].startswith(b'"default";r=9;t=')
    with pytest.raises(RateLimitedError):
        await limited.take(10)
    assert len(limited.fields()) == 2
