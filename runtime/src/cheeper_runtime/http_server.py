"""The HTTP server of a process: uvicorn, which bounds the time in which a request arrives, and drains unnoticed.

    server = http_server(app, "127.0.0.1", 8001)
    await server.serve()

Its drain, at SIGTERM or SIGINT, has two parts. First it is a lame duck: new connections are refused, so that a caller
with several replicas turns to another one, and the open ones are served on, each response with "Connection: close".
What is still open after that is idle: it is closed, and requests in flight may end.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ARRIVAL_SECONDS: Final = 10.0
"""The time from the first byte of a request to its last one."""

HEAD_BYTES: Final = 128 * 1024
"""The longest request line with headers. The gateway passes on less: it takes 36 KiB, and escapes a byte by three."""

KEEP_ALIVE_SECONDS: Final = 75
"""The time that a connection may wait for its next request. The gateway keeps it for less, so that it never sends a
command on a connection that is about to close, and would not know whether the command was received."""

STALL_SECONDS: Final = 30.0
"""The time after which a connection is aborted whose write buffer has not drained to its low-water mark."""

LAME_DUCK_SECONDS: Final = 1.5
"""The time in which a caller finds out that no new connections are taken."""

DRAIN_SECONDS: Final = 7
"""The time for requests in flight after that; the rest of ten seconds is for closing connections."""

_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

log = structlog.get_logger()


class HttpServer(uvicorn.Server):
    """A uvicorn server that drains as the module says, and whose process ends by itself, with exit code 0."""

    def __init__(self, config: uvicorn.Config, on_drain: Callable[[], None], lame_duck_seconds: float) -> None:
        super().__init__(config)
        self._on_drain = on_drain
        self._lame_duck_seconds = lame_duck_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain. Uvicorn's own method would raise the signal again at the end."""
        del frame
        log.info("draining", signal=sig)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain."""
        self._on_drain()
        for server in self.servers:
            server.close()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        loop = asyncio.get_running_loop()
        until = loop.time() + self._lame_duck_seconds
        while state.connections and loop.time() < until:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


class _BoundedProtocol(HttpToolsProtocol):
    """Closes a connection on which a request arrives too slowly, or none begins, or whose head is too long. The
    first of these gets a 408 without a body, since this server does not know the form of the application's errors.

    A request that arrives with its first bytes, as nearly all do, costs two assignments here and no timer.
    """

    arrival_seconds = ARRIVAL_SECONDS
    idle_seconds: float = KEEP_ALIVE_SECONDS
    stall_seconds: float = STALL_SECONDS
    _stalled: asyncio.TimerHandle | None = None
    _timer: asyncio.TimerHandle | None = None
    _arriving = False
    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first request as for a next one."""
        super().connection_made(transport)
        self._start_timer(self.idle_seconds)

    def data_received(self, data: bytes) -> None:
        """Pass data to the parser, which reports by the methods below how far the request has come."""
        super().data_received(data)
        if not self._arriving:
            if self._in_flight():
                self._stop_timer()
            else:  # an empty line, which makes uvicorn forget its own timer
                self._start_timer(self.idle_seconds)
            return
        self._start_timer(self.arrival_seconds)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                log.info("the head of a request is too long", bytes=self._head_bytes)
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the request that did not arrive."""
        self._stop_timer()
        self._stop_stalling()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the write time-out: abort the connection unless `resume_writing` is called within `stall_seconds`."""
        super().pause_writing()
        self._stop_stalling()
        self._stalled = self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the write time-out."""
        self._stop_stalling()
        super().resume_writing()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._arriving = self._in_head = True
        self._head_bytes = 0
        self._stop_timer()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the head of a request is complete."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that a request is complete."""
        self._arriving = False
        super().on_message_complete()

    def _in_flight(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_timer(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._close, seconds)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_stalling(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _close(self, seconds: float) -> None:
        log.info("request did not arrive", seconds=seconds)
        if self._is_next_to_be_answered():
            self.transport.write(_TOO_SLOW)
        self.transport.close()

    def _is_next_to_be_answered(self) -> bool:
        """Return True if a request is arriving, and a response that is sent now can be taken for no other's."""
        if not self._arriving:
            return False
        if self._in_head:
            return not self._in_flight()
        return not self.pipeline and self.cycle is not None and not self.cycle.response_started


def _nothing() -> None:
    """Do nothing when draining begins."""


def http_server(  # noqa: PLR0913 - what may differ between processes and tests
    app: Callable[..., Any],
    host: str,
    port: int,
    *,
    on_drain: Callable[[], None] = _nothing,
    arrival_seconds: float = ARRIVAL_SECONDS,
    idle_seconds: float = KEEP_ALIVE_SECONDS,
    stall_seconds: float = STALL_SECONDS,
    lame_duck_seconds: float = LAME_DUCK_SECONDS,
) -> HttpServer:
    """Return a server of an ASGI application, to be run by `await server.serve()`.

    It calls `on_drain` when it begins to drain, to release requests that wait for something.
    """

    class Protocol(_BoundedProtocol):
        pass

    Protocol.arrival_seconds, Protocol.idle_seconds = arrival_seconds, idle_seconds
    Protocol.stall_seconds = stall_seconds
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Protocol,
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return HttpServer(config, on_drain, lame_duck_seconds)
