import asyncio

from cheeper_runtime.concurrency.background import in_background


async def test_work_ends_with_its_block():
    """Work without an end begins with the block, and is over when the block is left."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def work():
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with in_background(work()):
        await began.wait()
        assert not ended.is_set()
    assert ended.is_set()
