"""The delay of a process's event loop: how long what is ready waits for its turn, as a metric of each process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from cheeper_runtime.metrics.observations import Observations
from cheeper_runtime.metrics.page import Declaration, Families

PERIOD: Final = 0.1
"""Seconds between two measurements."""
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


def declare(prefix: str) -> Declaration:
    """Return the metric whose name begins with this prefix."""
    return Declaration(
        f"{prefix}_event_loop_delay_seconds",
        "time that something which was ready waited for its turn in the event loop, measured ten times each second",
        histogram=True,
    )


class EventLoopDelay(Collector):
    """Measures the delay by a short sleep, again and again: what it takes longer is the delay.

    It is a collector for a registry, or adds its sample to the families of another one.
    """

    def __init__(
        self,
        declared: Declaration,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._declared = declared
        self._delays = Observations(BUCKETS)
        self._sleep = sleep
        self._clock = clock

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            began = self._clock()
            await self._sleep(PERIOD)
            self._delays.observe(max(0.0, self._clock() - began - PERIOD))

    def add_to(self, families: Families) -> None:
        """Add what was measured so far."""
        self._delays.add_to(families, self._declared)

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so that registering the collector does not collect."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Return the current samples."""
        families = Families((self._declared,))
        self.add_to(families)
        return iter(families)
