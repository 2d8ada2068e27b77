"""Giving up what a client waits for once the client has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from read_api.http.replies import Receive


class ClientGoneError(Exception):
    """The client closed its connection before the answer was ready."""


def while_there(receive: Receive) -> Callable[[Awaitable[None]], Awaitable[None]]:
    """Awaits something for as long as the client of `receive` is there. Raises ClientGoneError when it goes."""

    async def wait(awaited: Awaitable[None]) -> None:
        waiting = asyncio.ensure_future(awaited)
        leaving = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise ClientGoneError
            await waiting
        finally:
            waiting.cancel()
            leaving.cancel()
            await asyncio.gather(waiting, leaving, return_exceptions=True)

    return wait


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
