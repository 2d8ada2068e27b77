"""Bodies that are broken, and bodies and headers that come slowly or not at all."""

from __future__ import annotations

import asyncio
from typing import Final

from cheeper_e2e.hostile.attack.attacks.base import NO_RESPONSE, Attack, Victim, connected, get, head, send, status

_TRICKLE_SECONDS: Final = 1.0
_TOO_LARGE: Final = b"a" * 1_000_000
_CHUNKED: Final = head("POST", "/cheep", "Transfer-Encoding: chunked")


async def _bad_chunk(victim: Victim, number: int) -> int:
    sizes = (b"zz\r\n", b"-1\r\n", b"5\r\nHel", b"5\r\nHelloWorld\r\n", b"FFFFFFFFFFFFFFFFF\r\n")
    return await send(victim, _CHUNKED + sizes[number % len(sizes)])


async def _half_closed(victim: Victim, number: int) -> int:
    framing = ("Content-Length: 100", "Transfer-Encoding: chunked")[number % 2]
    async with connected(victim) as (reader, writer):
        writer.write(head("POST", "/cheep", framing) + b"5\r\nHel")
        writer.write_eof()
        return await status(reader)


async def _hung_up(victim: Victim, _: int) -> int:
    async with connected(victim) as (_reader, writer):
        writer.write(head("POST", "/cheep", "Content-Length: 100") + b'{"author_id": ')
        await writer.drain()
    return NO_RESPONSE


async def _too_large(victim: Victim, number: int) -> int:
    framing = (f"Content-Length: {len(_TOO_LARGE)}", "Transfer-Encoding: chunked")[number % 2]
    return await send(victim, head("POST", "/cheep", framing) + b"f4240\r\n" * (number % 2) + _TOO_LARGE)


async def _trickled(victim: Victim, number: int) -> int:
    """Send a byte each second, of a body with a length, of a chunk, or of a header, until the gateway has enough."""
    starts = (
        head("POST", "/cheep", "Content-Length: 1000"),
        _CHUNKED + b"3e8\r\n",
        b"GET /author/x HTTP/1.1\r\nX: ",
    )
    async with connected(victim) as (reader, writer):
        writer.write(starts[number % len(starts)])
        response = asyncio.create_task(status(reader))
        try:
            while not (await asyncio.wait({response}, timeout=_TRICKLE_SECONDS))[0]:
                writer.write(b"a")
            return await response
        finally:
            response.cancel()


async def _idle(victim: Victim, number: int) -> int:
    """Hold a connection open, new or after a response, until the gateway ends it."""
    async with connected(victim) as (reader, writer):
        if number % 2:
            writer.write(get("/author/x").replace(b"Connection: close\r\n", b""))
        while await reader.read(4096):
            pass
    return NO_RESPONSE


ATTACKS: Final = (
    Attack(
        name="bad-chunks",
        does="chunk sizes that are none, negative, too large or wrong",
        strike=_bad_chunk,
        per_second=60,
        clients=64,
    ),
    Attack(
        name="half-closed-bodies",
        does="bodies whose sender ends its half of the connection",
        strike=_half_closed,
        per_second=60,
        clients=64,
    ),
    Attack(
        name="aborted-bodies",
        does="bodies whose sender closes the connection",
        strike=_hung_up,
        per_second=60,
        clients=64,
    ),
    Attack(
        name="large-bodies",
        does="bodies of 1 MB, with a length and in chunks",
        strike=_too_large,
        per_second=10,
    ),
    Attack(
        name="trickle",
        does="bodies and headers of a byte per second",
        strike=_trickled,
        per_second=100,
        clients=None,
    ),
    Attack(
        name="idle-connections",
        does="connections that are held open",
        strike=_idle,
        per_second=200,
        clients=None,
    ),
)
