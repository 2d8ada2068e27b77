"""The good client: few requests of each kind, at a fixed rate, each of which must succeed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import msgspec

from cheeper_e2e.hostile.attack.scene import Scene
from cheeper_e2e.http.client import Client, Reply, UnavailableError

PER_SECOND: Final = 25
CONNECTIONS: Final = 64
_GOOD: Final = (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED)
_SHOWN: Final = 3

Request = Callable[[Client, Scene, int], Awaitable[Reply]]


class Service(msgspec.Struct, kw_only=True):
    """The service that a good client had in some windows: seconds of each request, from the moment at which it was due,
    and a sentence for each that did not succeed.
    """

    seconds: list[float] = msgspec.field(default_factory=list)
    refused: list[str] = msgspec.field(default_factory=list)

    def p99(self) -> float:
        """Return the 99th percentile in seconds, 0 without a request."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] if ordered else 0.0

    def complaint(self) -> str:
        """Return the first refusals as one line."""
        return "; ".join(self.refused[:_SHOWN])


async def use(client: Client, scene: Scene, seconds: float, service: Service) -> None:
    """Send requests for so many seconds, whether earlier ones have succeeded or not, and wait for all of them."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(max(1, round(seconds * PER_SECOND))):
            due = began + number / PER_SECOND
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            group.create_task(_request(client, scene, number, due, service))


async def _request(client: Client, scene: Scene, number: int, due: float, service: Service) -> None:
    send = REQUESTS[number % len(REQUESTS)]
    try:
        reply = await send(client, scene, number)
    except (httpx.HTTPError, UnavailableError, ValueError) as error:
        service.refused.append(f"{send.__name__.strip('_')}: {error!r}")
        return
    service.seconds.append(time.monotonic() - due)
    if reply.status not in _GOOD or reply.meta.get("stale"):
        stale = " (stale)" if reply.meta.get("stale") else ""
        service.refused.append(f"{reply.curl}: {reply.status} {reply.data.get('message', '')}{stale}")


async def _timeline(client: Client, scene: Scene, _: int) -> Reply:
    return await client.timeline(scene.alice.author_id)


async def _profile(client: Client, scene: Scene, _: int) -> Reply:
    return await client.author(scene.bob.author_id)


async def _counter(client: Client, scene: Scene, _: int) -> Reply:
    return await client.followers_counter(scene.bob.author_id)


async def _cheep(client: Client, scene: Scene, _: int) -> Reply:
    return await client.cheep(scene.cheep)


async def _search(client: Client, scene: Scene, _: int) -> Reply:
    return await client.search(scene.word)


async def _post(client: Client, scene: Scene, number: int) -> Reply:
    return await client.post_cheep(scene.bob.author_id, f"Good news {number}")


async def _profile_change(client: Client, scene: Scene, number: int) -> Reply:
    return await client.update_profile(scene.bob.author_id, bio=f"Good {number}")


async def _notifications(client: Client, scene: Scene, _: int) -> Reply:
    return await client.notifications(scene.bob.author_id)


REQUESTS: Final[tuple[Request, ...]] = (
    _timeline,
    _post,
    _profile,
    _search,
    _counter,
    _cheep,
    _profile_change,
    _notifications,
)
