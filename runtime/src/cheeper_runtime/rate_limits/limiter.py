"""The token buckets of one policy in one process.

    limiter = RateLimiter(Policy(name="default", burst=600, per_second=20))
    await limiter.take(caller, cost)

A bucket is one number, the time at which it would be full: the units that it lacks flow in until then (the generic cell
rate algorithm). So an unused bucket needs no work, and one that is forgotten is full.

Alone, the process decides by its own buckets. With replicas, it admits what fits into its `allowance`, the use of one
caller that the others need not know yet, and asks them for anything more (`sharing`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final, NoReturn

from cheeper_runtime.rate_limits.policy import Policy, RateLimitedError

BUCKETS_MAX: Final = 100_000
"""The most buckets of a process, about 20 MB. The one that was not used for the longest time makes room."""
_ROUNDING: Final = 1e-9
"""The seconds by which sums of floats may differ from what they stand for."""


class Bucket:
    """A caller's bucket: the time at which it is full, and the use that other replicas do not know, in seconds of the
    policy's rate.
    """

    __slots__ = ("caller", "full_at", "unreported")

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.full_at = -math.inf
        self.unreported = 0.0


Reserve = Callable[[Bucket, float], Awaitable[bool | None]]
"""Takes seconds' worth of units from a caller's bucket for all replicas, and returns whether there were enough, or None
if the other replicas cannot be reached now."""


class RateLimiter:
    """The limiter of a policy. `bucket` returns a caller's bucket, full if there was none; `refused` counts what was
    refused.

    `unreported` has the callers whose use other replicas do not know, `urgent` those of them who have used half of the
    `allowance`, in seconds of the policy's rate. It is None while there is nobody to report to.
    """

    def __init__(
        self, policy: Policy, *, clock: Callable[[], float] = time.monotonic, buckets_max: int = BUCKETS_MAX
    ) -> None:
        self.policy = policy
        self.refused = 0
        self.allowance: float | None = None
        self.unreported: dict[str, Bucket] = {}
        self.urgent: dict[str, Bucket] = {}
        self.reserve: Reserve | None = None
        self.on_urgent: Callable[[], None] = lambda: None
        self._clock = clock
        self.bucket = lru_cache(maxsize=buckets_max)(Bucket)
        self._burst_seconds = policy.burst_seconds
        self._burst_and_rounding = self._burst_seconds + _ROUNDING
        self._seconds_per_unit = 1 / policy.per_second
        self._per_second = policy.per_second
        self._name = f'"{policy.name}"'.encode()
        self._format = self._name + b";r=%d;t=%d"
        self._when_full = self._name + b";r=%d;t=0" % policy.burst

    async def take(self, caller: str, cost: int) -> Bucket:
        """Take units from the caller's bucket, and return it. Raise RateLimitedError, and take none, if there are too
        few.
        """
        bucket = self.bucket(caller)
        if not self.take_now(bucket, cost):
            await self.take_reserved(bucket, cost)
        return bucket

    async def take_reserved(self, bucket: Bucket, cost: int) -> None:
        """Take units after asking the other replicas. Raise RateLimitedError."""
        seconds = cost * self._seconds_per_unit
        granted = None if self.reserve is None else await self.reserve(bucket, seconds)
        if granted is False:
            self.refuse(bucket.full_at + seconds - self._clock())
        if granted is None:
            self.take_now(bucket, cost)

    def take_now(self, bucket: Bucket, cost: int) -> bool:
        """Take units without asking other replicas. Return False, and take none, if these must be asked. Raise
        RateLimitedError.
        """
        seconds, now = cost * self._seconds_per_unit, self._clock()
        full_at = (now if bucket.full_at < now else bucket.full_at) + seconds  # noqa: FURB136 - faster
        if full_at - now > self._burst_and_rounding:
            self.refuse(full_at - now)
        if self.allowance is not None:
            if bucket.unreported + seconds > self.allowance:
                return False
            self._note(bucket, seconds)
        bucket.full_at = full_at
        return True

    def refund(self, bucket: Bucket, cost: int) -> None:
        """Put units back that were taken from this bucket and not needed."""
        seconds = cost * self._seconds_per_unit
        bucket.full_at -= seconds
        if self.allowance is not None:
            self._note(bucket, -seconds)

    def refuse(self, full_in: float) -> NoReturn:
        """Count a request after which its bucket would be full in so many seconds, and raise RateLimitedError."""
        self.refused += 1
        raise RateLimitedError(self.policy.name, full_in - self._burst_seconds)

    def level(self, bucket: Bucket) -> bytes:
        """Return the level of a bucket as this process knows it, as an item of RateLimit: the units that remain, and
        the seconds until it is full.
        """
        full_in = bucket.full_at - self._clock()
        if full_in <= 0:
            return self._when_full
        if full_in > self._burst_seconds:
            return self._name + b";r=0;t=%d" % (full_in + 1)
        return self._format % ((self._burst_and_rounding - full_in) * self._per_second, full_in + 1)

    def learn(self, bucket: Bucket, reported: float, full_in: float) -> None:
        """Note that others know `reported` seconds of the bucket's use, and that it is full in `full_in` seconds after
        all that they know.
        """
        bucket.unreported -= reported
        bucket.full_at = self._clock() + full_in + bucket.unreported

    def share(self, allowance: float | None) -> None:
        """Set the allowance, or let this process decide alone, and forget what was not reported."""
        self.allowance = allowance
        if allowance is None:
            for bucket in self.unreported.values():
                bucket.unreported = 0.0
            self.unreported.clear()
            self.urgent.clear()

    @property
    def shared(self) -> bool:
        """The buckets are shared with other replicas at present."""
        return self.allowance is not None

    def __len__(self) -> int:
        """Return the number of buckets."""
        return self.bucket.cache_info().currsize

    def _note(self, bucket: Bucket, seconds: float) -> None:
        """Note use for the next report."""
        bucket.unreported += seconds
        self.unreported[bucket.caller] = bucket
        if self.allowance is not None and bucket.unreported > self.allowance / 2 and bucket.caller not in self.urgent:
            self.urgent[bucket.caller] = bucket
            self.on_urgent()
