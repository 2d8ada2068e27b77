"""The metrics of rate limits, which are the same for each process but for the beginning of their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from cheeper_runtime.metrics.page import Declaration, Families
from cheeper_runtime.rate_limits.limiter import RateLimiter

_LABELS: Final = ("policy",)


class RateLimitDeclarations(msgspec.Struct, frozen=True):
    """The metrics of the rate limits of a process."""

    refused: Declaration
    buckets: Declaration
    shared: Declaration

    def all(self) -> tuple[Declaration, ...]:
        """Return all of them."""
        return self.refused, self.buckets, self.shared

    def add(self, families: Families, limiters: Iterable[RateLimiter]) -> None:
        """Add the current samples of these limiters."""
        for limiter in limiters:
            name = limiter.policy.name
            families.add(self.refused, limiter.refused, name)
            families.add(self.buckets, len(limiter), name)
            families.add(self.shared, limiter.shared, name)


def declare(prefix: str) -> RateLimitDeclarations:
    """Return the metrics whose names begin with this prefix."""
    return RateLimitDeclarations(
        refused=Declaration(f"{prefix}_rate_limit_refused_total", "requests that got 429 `rate_limited`", _LABELS),
        buckets=Declaration(f"{prefix}_rate_limit_buckets", "buckets of callers that this process has", _LABELS),
        shared=Declaration(
            f"{prefix}_rate_limit_shared", "1 while the buckets are shared with the other replicas", _LABELS
        ),
    )


class RateLimitsCollector(Collector):
    """Exposes rate limits in a registry."""

    def __init__(self, declared: RateLimitDeclarations, limiters: Iterable[RateLimiter]) -> None:
        self._declared = declared
        self._limiters = tuple(limiters)

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so that registering the collector does not collect."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Return the current samples."""
        families = Families(self._declared.all())
        self._declared.add(families, self._limiters)
        return iter(families)
