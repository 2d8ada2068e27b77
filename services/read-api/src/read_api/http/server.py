"""The HTTP server: uvicorn, which drains at SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Final

import uvicorn

from read_api.http.responses import ASGIApp

DRAIN_SECONDS: Final = 8
KEEP_ALIVE_SECONDS: Final = 75
"""The gateway closes idle connections earlier than this, so it never sends on one that we are closing."""


class DrainingServer(uvicorn.Server):
    """A uvicorn server that calls a function when it begins to drain."""

    def __init__(self, config: uvicorn.Config, on_drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_drain = on_drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Release waiting requests first, since they could take longer than the drain may."""
        self._on_drain()
        await super().shutdown(sockets)


async def serve(app: ASGIApp, host: str, port: int, on_drain: Callable[[], None]) -> None:
    """Serve until a signal arrives, then drain."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises its signal again at the end; that must not kill us
    await DrainingServer(config, on_drain).serve()
