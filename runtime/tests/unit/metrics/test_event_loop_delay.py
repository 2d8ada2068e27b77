import asyncio

import pytest

from cheeper_runtime.concurrency.background import in_background
from cheeper_runtime.metrics.event_loop_delay import PERIOD, EventLoopDelay, declare
from cheeper_runtime.metrics.page import new_registry

DECLARED = declare("test")
NAME = DECLARED.name


class BusyLoop:
    """A loop whose sleeps take longer by the next of some delays, and end with the last."""

    def __init__(self, *delays):
        self.now, self._delays = 100.0, list(delays)

    async def sleep(self, seconds):
        if not self._delays:
            raise asyncio.CancelledError
        self.now += seconds + self._delays.pop(0)

    def clock(self):
        return self.now


async def measured(*delays):
    """Return what a page has after a loop was late by these."""
    busy = BusyLoop(*delays)
    delay = EventLoopDelay(DECLARED, sleep=busy.sleep, clock=busy.clock)
    with pytest.raises(asyncio.CancelledError):
        await delay.watch()
    return new_registry(delay).get_sample_value


async def test_the_delay_is_what_a_sleep_takes_longer():
    """Each sleep is counted by the seconds beyond its own."""
    sample = await measured(0.0, 0.003, 0.3)
    assert sample(f"{NAME}_count") == 3
    assert sample(f"{NAME}_sum") == pytest.approx(0.303)
    assert sample(f"{NAME}_bucket", {"le": "0.005"}) == 2
    assert sample(f"{NAME}_bucket", {"le": "0.5"}) == 3


async def test_a_sleep_that_ends_early_is_no_delay():
    """A clock of a coarse resolution may show a sleep as shorter than it was."""
    sample = await measured(-PERIOD / 2)
    assert (sample(f"{NAME}_sum"), sample(f"{NAME}_count")) == (0.0, 1)


async def test_it_measures_until_it_is_cancelled():
    """Beside a process's other work, over the real loop and clock."""
    delay = EventLoopDelay(DECLARED)
    sample = new_registry(delay).get_sample_value
    async with in_background(delay.watch()), asyncio.timeout(60):
        while not sample(f"{NAME}_count"):  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.01)
    assert sample(f"{NAME}_sum") >= 0
