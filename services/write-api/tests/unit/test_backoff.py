"""Pauses between tries."""

import asyncio

from write_api.ops.backoff import Backoff, sleep_unless


def test_pauses_double_up_to_the_longest_and_are_shortened_by_up_to_half():
    """A server that is away is asked less and less often, and never by all at the same moment."""
    backoff = Backoff(first=1, longest=8)
    for expected in (1, 2, 4, 8, 8, 8):
        assert expected / 2 <= backoff.next() <= expected


def test_a_success_begins_again_with_the_shortest():
    """What went well is not slowed down by what went wrong before."""
    backoff = Backoff(first=1, longest=8)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() <= 1


async def test_a_pause_ends_when_told_to_stop():
    """A process that waits ends at once when it is told to."""
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(5):
        await Backoff(first=3600).pause(stop)


async def test_a_pause_ends_with_its_time():
    """Without a stop the pause lasts as long as it was given, and no exception leaves it."""
    await sleep_unless(asyncio.Event(), 0.01)
