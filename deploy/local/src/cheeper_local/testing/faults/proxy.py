"""A proxy in front of a server that delays, breaks or stalls its connections.

It passes bytes, so any server may be behind it. A Kafka behind it must advertise the proxy's address (`Kafka.more`),
since its clients connect to the advertised one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from ssl import SSLContext
from typing import Any, TypeVar, cast

from cheeper_local.system.ports import HOST

T = TypeVar("T")
_Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CHUNK = 16_384


class Proxy:
    """Passes bytes on to `upstream` (host, port), from `start` until `stop`.

    `delay` is the seconds that each piece waits, in both directions, `delay_back` the additional ones for a piece from
    upstream; `rate` is the bytes per second of each direction of each connection, None for no limit; while `stalled`,
    connections are accepted and no byte passes. All may be changed while it runs. `passed` counts the bytes. With `tls`
    it ends the encryption for a server that has none.
    """

    def __init__(self, upstream: tuple[str, int], tls: SSLContext | None = None) -> None:
        self.upstream = upstream
        self._tls = tls
        self.delay = self.delay_back = 0.0
        self.rate: int | None = None
        self.stalled = False
        self.passed = 0
        self.port = 0
        self._ways: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    @property
    def address(self) -> str:
        """The host:port for clients."""
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        """Listen on a free port."""
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._connected, HOST, 0, ssl=self._tls))
        self.port = self._server.sockets[0].getsockname()[1]

    @contextmanager
    def slow(self, **attributes: float | bool) -> Iterator[None]:
        """Set these attributes while a block lasts."""
        before = {name: getattr(self, name) for name in attributes}
        for name, value in attributes.items():
            setattr(self, name, value)
        try:
            yield
        finally:  # also if the test fails, which must not wait for ever for its process
            for name, value in before.items():
                setattr(self, name, value)

    def cut(self) -> None:
        """Break all connections; new ones are accepted."""
        self._call(self._cut())

    def stop(self) -> None:
        """Stop, and close all connections."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _close(self) -> None:
        self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        for way in self._ways:
            way.cancel()
        while self._connections:  # each closes its own sockets
            await asyncio.wait(self._connections)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(task)
        try:
            with suppress(OSError):
                there, back = await asyncio.open_connection(*self.upstream)
                try:
                    await self._pass_both_ways((reader, back), (there, writer))
                finally:
                    back.close()
        finally:
            writer.close()
            self._connections.discard(task)

    async def _pass_both_ways(self, to: _Way, back: _Way) -> None:
        ways = {
            self._loop.create_task(self._pass_on(*to, is_back=False)),
            self._loop.create_task(self._pass_on(*back, is_back=True)),
        }
        self._ways |= ways
        # The end of one direction ends the other one, as in a broken connection.
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._ways -= ways

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_back: bool) -> None:
        with suppress(OSError):
            while piece := await source.read(_CHUNK):
                pause = self.delay + is_back * self.delay_back + (len(piece) / self.rate if self.rate else 0.0)
                if pause:
                    await asyncio.sleep(pause)
                while self.stalled:  # noqa: ASYNC110 - another thread sets it
                    await asyncio.sleep(0.02)
                target.write(piece)
                await target.drain()
                self.passed += len(piece)
