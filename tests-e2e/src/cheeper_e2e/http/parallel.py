"""Bounded concurrency for clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

Job = Callable[[], Awaitable[None]]


async def in_parallel(jobs: Iterable[Job], concurrency: int) -> None:
    """Do all jobs, so many at once, begun in their order. The first that fails ends all and is raised as it is."""
    pending = iter(jobs)

    async def work() -> None:
        for job in pending:
            await job()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
