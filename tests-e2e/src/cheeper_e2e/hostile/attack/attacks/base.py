"""The form of an attack, and the few bytes of HTTP that it needs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import msgspec

from cheeper_e2e.hostile.attack.scene import Scale, Scene

NO_RESPONSE: Final = 0
_STATUS_LINE: Final = 3  # parts


class Victim(NamedTuple):
    """The gateway under attack, with its scene."""

    host: str
    port: int
    scene: Scene
    scale: Scale


Strike = Callable[[Victim, int], Awaitable[int]]
"""One unit of an attack. The number counts the strikes. Returns the status of the response, or NO_RESPONSE."""


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """An attack: strikes at a pace, as long as fewer than `clients` are under way; None is the scale's `held_open`."""

    name: str
    does: str
    strike: Strike
    per_second: float
    clients: int | None = 16


@asynccontextmanager
async def connected(victim: Victim) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the gateway that ends with the block, however that ends."""
    reader, writer = await asyncio.open_connection(victim.host, victim.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def send(victim: Victim, message: bytes) -> int:
    """Send a request on a connection of its own. Return the status of its response."""
    async with connected(victim) as (reader, writer):
        writer.write(message)
        return await status(reader)


async def status(reader: asyncio.StreamReader) -> int:
    """Return the status of the response that comes next, or NO_RESPONSE if the connection ends instead."""
    parts = (await reader.readline()).split(maxsplit=_STATUS_LINE - 1)
    return int(parts[1]) if len(parts) == _STATUS_LINE else NO_RESPONSE


def get(path: str) -> bytes:
    """Return the bytes of a query."""
    return f"GET {path} HTTP/1.1\r\nHost: cheeper\r\nConnection: close\r\n\r\n".encode()


def command(method: str, path: str, body: dict[str, Any] | None = None, *, headers: Sequence[str] = ()) -> bytes:
    """Return the bytes of a command."""
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    return head(method, path, f"Content-Length: {len(content)}", "Connection: close", *headers) + content


def head(method: str, path: str, *headers: str) -> bytes:
    """Return the bytes of a request up to its body."""
    lines = (f"{method} {path} HTTP/1.1", "Host: cheeper", "Content-Type: application/json", *headers, "", "")
    return "\r\n".join(lines).encode()
