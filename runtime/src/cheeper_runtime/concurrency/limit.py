"""A limit of concurrent work whose queue is bounded by time.

    limit = ConcurrencyLimit("database", at_once=10, queue_seconds=1.0)
    outcome = await limit.run(handle, command)

A queue that is bounded by its length is too long when the work is slow and too short when it is fast. Here work is
refused at once if it would wait for longer than `queue_seconds`, judged by how long the work takes at present, and
after that time if the judgement was wrong. So what is accepted waits for a bounded time whatever the load is, and what
is refused has not begun.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, ParamSpec, TypeVar

BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the times in the queue, in seconds."""
_WEIGHT: Final = 0.1
"""The weight of the newest duration in their mean: a change shows after about ten of them."""

P = ParamSpec("P")
T = TypeVar("T")


class OverloadedError(Exception):
    """Work was refused before it began, since it would have waited for too long. `limit` is the name of the limit."""

    def __init__(self, limit: str) -> None:
        super().__init__(f"too much concurrent work: {limit}")
        self.limit = limit


class ConcurrencyLimit:
    """Runs at most `at_once` pieces of work at a time on one event loop, the others after them in their order.

    With `queue_seconds` = 0 there is no queue. `refused` counts the work that was refused; `queued` counts the work
    that waited, accepted or not, by BUCKETS and beyond, and `queued_seconds` is the sum of its waits.
    """

    def __init__(
        self, name: str, *, at_once: int, queue_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.in_flight = 0
        self.refused = 0
        self.queued = [0] * (len(BUCKETS) + 1)
        self.queued_seconds = 0.0
        self.at_once = at_once
        self._queue_seconds = queue_seconds
        self._clock = clock
        self._queue: OrderedDict[asyncio.Future[float], None] = OrderedDict()
        self._mean_seconds = 0.0
        self._sum_of_starts = 0.0  # of the work in flight: the age of all of it, in one number

    @property
    def waiting(self) -> int:
        """The number of pieces of work in the queue."""
        return len(self._queue)

    async def run(self, work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of the work, which is called once there is a place for it. Raise OverloadedError if it was
        not called, and whatever it raises.
        """
        if self.in_flight < self.at_once:
            self.in_flight += 1
            began = self._begin()
        else:
            began = await self._wait()
        try:
            return await work(*args, **kwargs)
        finally:
            self._mean_seconds += (self._clock() - began - self._mean_seconds) * (_WEIGHT if self._mean_seconds else 1)
            self._end(began)

    def expected_wait(self) -> float:
        """Return the seconds that new work would wait, if all places are taken.

        The work takes as long as it took recently, or as the work in flight has taken so far, whichever is longer: if
        all of it hangs, nothing ends, and only its age shows it.
        """
        age = self._clock() - self._sum_of_starts / self.in_flight if self.in_flight else 0.0
        return max(self._mean_seconds, age) * (len(self._queue) + 1) / self.at_once

    async def _wait(self) -> float:
        """Return the time at which the place of this work was freed. Raise OverloadedError."""
        if self.expected_wait() >= self._queue_seconds:
            self.refused += 1
            raise OverloadedError(self.name)
        place: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._queue[place] = None
        since = self._clock()
        try:
            async with asyncio.timeout(self._queue_seconds):
                return await place
        except BaseException as error:
            if place.done() and not place.cancelled():  # it was freed for us just as we left
                self._end(place.result())
            self._queue.pop(place, None)
            if not isinstance(error, TimeoutError):
                raise
            self.refused += 1
            raise OverloadedError(self.name) from None
        finally:
            waited = self._clock() - since
            self.queued[bisect_left(BUCKETS, waited)] += 1
            self.queued_seconds += waited

    def _begin(self) -> float:
        now = self._clock()
        self._sum_of_starts += now
        return now

    def _end(self, began: float) -> None:
        """Give the place of work that began at that time to the next in the queue, or free it."""
        self._sum_of_starts -= began
        while self._queue:
            place, _ = self._queue.popitem(last=False)
            if not place.done():  # its task may have been cancelled, and not run since
                place.set_result(self._begin())
                return
        self.in_flight -= 1
        if not self.in_flight:
            self._sum_of_starts = 0.0  # without what rounding has left
