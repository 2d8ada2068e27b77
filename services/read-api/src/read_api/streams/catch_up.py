"""The wait until one store has applied all that another one had at the beginning of the wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from read_api.query_bus.query import StoreUnavailableError

SECONDS: Final = 10.0
"""The longest wait. A stream that ends then is resumed by its client, so nothing is missed."""
_PAUSES: Final = (0.01, 0.25)
"""The first and the longest pause between two reads, in seconds."""

Sequences = Callable[[], Awaitable[Mapping[int, int]]]
"""Returns the sequence of the last message applied, by partition. Raises StoreUnavailableError."""


async def catch_up(leading: Sequences, following: Sequences, seconds: float = SECONDS) -> None:
    """Return once one store is as far as the other one was. Raise StoreUnavailableError if that takes too long."""
    wanted = await leading()
    pause, longest = _PAUSES
    try:
        async with asyncio.timeout(seconds):
            while not _has(await following(), wanted):
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
    except TimeoutError:
        raise StoreUnavailableError("mongo", "it is far behind Redis") from None


def _has(found: Mapping[int, int], wanted: Mapping[int, int]) -> bool:
    return all(found.get(partition, 0) >= sequence for partition, sequence in wanted.items())
