"""One case on one connection."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from cheeper_e2e.hostile.raw_http.cases import Case, Ending
from cheeper_e2e.hostile.raw_http.responses import complete_responses

QUIET_SECONDS: Final = 0.15
"""A sender that gets nothing for so long ends its half: the other side waits for more of the request."""
_CHUNK: Final = 65_536


class Address(NamedTuple):
    """A port under test. `name` is that of its process."""

    name: str
    port: int
    host: str = "127.0.0.1"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """The other side's bytes, and the seconds from the sender's last byte to the end of the connection.

    `ended` is False if the connection was still open after the bound. `reset` is True if it ended by a reset, which
    may take bytes of a response with it.
    """

    content: bytes
    seconds: float
    ended: bool
    reset: bool = False


async def exchange(address: Address, case: Case, bound: float) -> Received:
    """Send a case and receive until the connection ends, or for `bound` seconds. Raise OSError if there is none."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    reset = not await _sent(writer, case)
    began = time.monotonic()
    content = bytearray()
    try:
        async with asyncio.timeout(bound):
            reset |= await _receive(reader, writer, case, content)
        ended = True
    except TimeoutError:
        # A connection that stays open is kept alive if its request has a response.
        ended = case.ending is Ending.STAY and complete_responses(bytes(content), head=case.has_head) > 0
    finally:
        writer.transport.abort()
    return Received(content=bytes(content), seconds=time.monotonic() - began, ended=ended, reset=reset)


async def _sent(writer: asyncio.StreamWriter, case: Case) -> bool:
    """Send the pieces. Return False if the other side ended the connection meanwhile."""
    try:
        for piece in case.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if case.ending is Ending.HALF:
            writer.write_eof()
    except OSError:
        return False
    return True


async def _receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, case: Case, content: bytearray) -> bool:
    """Collect into `content` until the end. Return True if the end is a reset."""
    if case.ending is Ending.ABORT:
        return True
    quiet = QUIET_SECONDS if case.ending is Ending.FINISH else None
    try:
        while True:
            try:
                async with asyncio.timeout(quiet):
                    piece = await reader.read(_CHUNK)
            except TimeoutError:
                if quiet is None:
                    raise
                quiet = None
                _end_half(writer)
                continue
            if not piece:
                return False
            content += piece
            if quiet is not None and _has_enough(bytes(content), case):
                quiet = None
                _end_half(writer)
            elif case.ending is Ending.STAY and _has_enough(bytes(content), case):
                return False
    except ConnectionError:
        return True


def _end_half(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # the other side was faster
        writer.write_eof()


def _has_enough(content: bytes, case: Case) -> bool:
    """Return True once as many responses have come as requests can have been sent."""
    return complete_responses(content, head=case.has_head) >= (
        1 if case.has_head else max(1, case.sent.count(b" HTTP/1.1"))
    )
