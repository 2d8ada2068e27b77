"""Shares buckets between replicas, so that their limits hold for all of them together.

A store has the common bucket of each caller. A process admits requests by its own buckets and reports their use in the
background, in one batch for all callers. One caller's use that is not reported yet is at most `allowance`: a fifth of
the burst, divided between the replicas. What exceeds it is reserved in the store with the next batch, and waits for
that. So all replicas together admit at most 1.2 times what one would, a usual request waits for nothing, and a store
that is unavailable leaves each process with its own buckets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import msgspec
import structlog

from cheeper_runtime.rate_limits.limiter import Bucket, RateLimiter

EXCESS: Final = 0.2
"""The part of the burst that all replicas together may admit beyond it."""
REPORT_SECONDS: Final = 1.0
"""The time between two reports if nothing is urgent. The store forgets a replica that was silent for three of these."""
STORE_SECONDS: Final = 0.25
"""The time after which the store counts as unavailable: so long may a request wait for it, once."""
_BATCH: Final = 500

log = structlog.get_logger()


class SharedBucketsUnavailableError(ConnectionError):
    """The store did not respond in time, or refused to serve."""


class Use(msgspec.Struct, frozen=True):
    """The use of a bucket, in seconds of its policy's rate, negative if some of it was given back. A `conditional` one
    is taken if there is enough, any other one in any case.
    """

    key: str
    seconds: float
    burst_seconds: float
    conditional: bool = False


class Shared(msgspec.Struct, frozen=True):
    """The common bucket after a use: the seconds until it is full, and whether the use was taken."""

    full_in: float
    taken: bool


class Store(Protocol):
    """The common buckets."""

    async def apply(self, uses: Sequence[Use]) -> tuple[int, Sequence[Shared]]:
        """Take these uses in their order. Return the number of replicas that have called this recently, and the result
        of each use. Raise SharedBucketsUnavailableError.
        """


class _Report(msgspec.Struct, frozen=True):
    limiter: RateLimiter
    bucket: Bucket
    use: Use
    waiting: asyncio.Future[bool | None] | None = None


class Sharing:
    """Shares the buckets of these limiters through a store. `available` is False while the store is not."""

    def __init__(self, store: Store, limiters: Iterable[RateLimiter]) -> None:
        self.available = False
        self._store = store
        self._limiters = tuple(limiters)
        self._urgent = asyncio.Event()
        self._reservations: list[_Report] = []
        for limiter in self._limiters:
            limiter.reserve = self._reserve_in(limiter)
            limiter.on_urgent = self._urgent.set

    async def run(self) -> None:
        """Report for ever, as often as there is something urgent, and else each second."""
        try:
            while True:
                await self.exchange(everything=not self._urgent.is_set())
                with suppress(TimeoutError):
                    async with asyncio.timeout(REPORT_SECONDS):
                        await self._urgent.wait()
        finally:
            self._stop_sharing(self._reservations)

    async def exchange(self, *, everything: bool) -> None:
        """Report what is urgent, or everything, and learn the common buckets."""
        self._urgent.clear()
        reports = [*self._collect(everything=everything), *self._reservations]
        self._reservations = []
        try:
            for first in range(0, max(len(reports), 1), _BATCH):
                await self._apply(reports[first : first + _BATCH])
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the limits' store, the API continues
            self._became(available=False, reason=f"{type(error).__name__}: {error}")
            self._stop_sharing(reports)
        except asyncio.CancelledError:
            self._stop_sharing(reports)
            raise

    def _stop_sharing(self, reports: Iterable[_Report]) -> None:
        """Let each process decide alone, also about requests that wait. Use whose report failed may count or not."""
        for limiter in self._limiters:
            limiter.share(None)
        for report in reports:
            report.bucket.unreported = 0.0
            if report.waiting is not None and not report.waiting.done():
                report.waiting.set_result(None)

    async def _apply(self, reports: Sequence[_Report]) -> None:
        async with asyncio.timeout(STORE_SECONDS):
            replicas, results = await self._store.apply([report.use for report in reports])
        self._became(available=True)
        for limiter in self._limiters:
            # There is room for one replica more, which has just started and is not known yet.
            limiter.share(limiter.policy.burst_seconds * EXCESS / (replicas + 1))
        for report, result in zip(reports, results, strict=True):
            reported = 0.0 if report.waiting is not None else report.use.seconds
            report.limiter.learn(report.bucket, reported, result.full_in)
            if report.waiting is not None and not report.waiting.done():
                report.waiting.set_result(result.taken)

    def _collect(self, *, everything: bool) -> list[_Report]:
        reports = []
        for limiter in self._limiters:
            buckets = dict(limiter.unreported if everything else limiter.urgent)
            limiter.urgent.clear()
            for caller, bucket in buckets.items():
                del limiter.unreported[caller]
                reports.append(_Report(limiter, bucket, _use(limiter, caller, bucket.unreported)))
        return reports

    def _reserve_in(self, limiter: RateLimiter) -> Callable[[Bucket, float], asyncio.Future[bool | None]]:
        def reserve(bucket: Bucket, seconds: float) -> asyncio.Future[bool | None]:
            waiting: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
            use = _use(limiter, bucket.caller, seconds, conditional=True)
            self._reservations.append(_Report(limiter, bucket, use, waiting))
            self._urgent.set()
            return waiting

        return reserve

    def _became(self, *, available: bool, reason: str = "") -> None:
        if available != self.available:
            self.available = available
            if available:
                log.info("rate limits are shared")
            else:
                log.warning("rate limits are not shared, each process has its own", reason=reason)


def _use(limiter: RateLimiter, caller: str, seconds: float, *, conditional: bool = False) -> Use:
    return Use(f"{limiter.policy.name}:{caller}", seconds, limiter.policy.burst_seconds, conditional)
