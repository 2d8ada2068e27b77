import asyncio

import pytest

from write_api.http.in_time import in_time


async def test_what_comes_in_time_is_given():
    """The result of the work, or what it raises."""

    async def fail():
        raise LookupError

    assert await in_time(asyncio.sleep(0, "done"), 5) == "done"
    with pytest.raises(LookupError):
        await in_time(fail(), 5)


async def test_late_work_is_not_waited_for():
    """Not even while it resists being cancelled, as a driver does whose server is frozen."""
    thawed, ended = asyncio.Event(), asyncio.Event()

    async def frozen():
        try:
            await asyncio.Event().wait()
        finally:
            await thawed.wait()
            ended.set()

    with pytest.raises(TimeoutError):
        await in_time(frozen(), 0.01)
    assert not ended.is_set()
    thawed.set()
    await ended.wait()
