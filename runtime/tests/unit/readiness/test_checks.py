import asyncio

import pytest

from cheeper_runtime.readiness import checks
from cheeper_runtime.readiness.checks import in_time
from cheeper_runtime.readiness.needs import Readiness


async def test_every_check_is_reported():
    """The reasons of the checks, of one that crashes and of one that hangs, are those of their needs."""

    async def ok():
        return None

    async def failing():
        return "waiting for the schema"

    async def crashing():
        raise OSError("with a host name")

    async def hanging():
        await asyncio.Event().wait()

    readiness = Readiness("own")
    found = {"a": ok, "b": failing, "c": crashing, "d": hanging}
    await checks.check(readiness, found, seconds=0.01)
    assert {name: need.reason for name, need in readiness.needs().items()} == {
        "own": "starting",
        "a": None,
        "b": "waiting for the schema",
        "c": "no answer: OSError",
        "d": "no answer within 0.01 s",
    }


async def test_watching_goes_on_until_it_is_cancelled():
    """A check is repeated while its need is not met."""
    readiness, runs, third = Readiness(), [], asyncio.Event()

    async def failing():
        runs.append("run")
        if len(runs) == 2:
            third.set()
        return "not there"

    watching = asyncio.create_task(checks.watch(readiness, {"server": failing}))
    await third.wait()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert readiness.reason("server") == "not there"


async def test_work_in_time_gives_its_result_or_its_error():
    """The wait changes nothing about work that ends in time."""

    async def fail():
        raise ValueError("no")

    assert await in_time(asyncio.sleep(0, "done"), 5) == "done"
    with pytest.raises(ValueError, match="no"):
        await in_time(fail(), 5)


async def test_late_work_is_not_waited_for():
    """The caller gets TimeoutError although the cancelled work has not ended, and its late error is not logged."""
    release, ended = asyncio.Event(), asyncio.Event()

    async def frozen():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await release.wait()
            ended.set()
            raise OSError("too late") from None

    with pytest.raises(TimeoutError):
        await in_time(frozen(), 0.01)
    assert not ended.is_set()
    release.set()
    await ended.wait()


async def test_work_of_a_caller_that_is_cancelled_ends_by_itself():
    """It gives its connection back as it would have done, before the caller ends."""
    began, release, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work():
        began.set()
        await release.wait()
        ended.set()

    caller = asyncio.create_task(in_time(work(), 60))
    await began.wait()
    caller.cancel()
    await asyncio.sleep(0)
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_late_work_can_be_waited_for():
    """Whoever closes the connections of late work waits until it has ended, but not for ever."""
    release, ended = asyncio.Event(), asyncio.Event()

    async def frozen():
        try:
            await asyncio.Event().wait()
        finally:
            await release.wait()
            ended.set()

    with pytest.raises(TimeoutError):
        await in_time(frozen(), 0.01)
    await checks.settle(0.01)
    assert not ended.is_set()
    release.set()
    await checks.settle(60)
    assert ended.is_set()
