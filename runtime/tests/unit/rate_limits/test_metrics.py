"""The metrics of rate limits."""

from cheeper_runtime.metrics.page import new_registry, page
from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.rate_limits.metrics import RateLimitsCollector, declare
from cheeper_runtime.rate_limits.policy import Policy, RateLimitedError


async def test_the_page_has_refusals_buckets_and_whether_they_are_shared():
    """Each limiter has its samples under the name of its policy."""
    limiter = RateLimiter(Policy(name="default", burst=1, per_second=1))
    for _ in range(3):
        try:
            await limiter.take("ann", 1)
        except RateLimitedError:
            continue
    text = page(new_registry(RateLimitsCollector(declare("x"), [limiter]))).decode()
    assert 'x_rate_limit_refused_total{policy="default"} 2.0' in text
    assert 'x_rate_limit_buckets{policy="default"} 1.0' in text
    assert 'x_rate_limit_shared{policy="default"} 0.0' in text
