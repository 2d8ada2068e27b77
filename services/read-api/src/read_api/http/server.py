"""The HTTP server: uvicorn, ended by SIGTERM or SIGINT with its answers given."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Final

import uvicorn

from read_api.http.replies import ASGIApp

DRAIN_SECONDS: Final = 8
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the gateway keeps an idle connection, so that the gateway never sends on one that we are closing."""


class DrainingServer(uvicorn.Server):
    """A uvicorn server that tells when it begins to drain."""

    def __init__(self, config: uvicorn.Config, on_drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_drain = on_drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let waiting requests go first: they could take longer than the drain may."""
        self._on_drain()
        await super().shutdown(sockets)


async def serve(app: ASGIApp, host: str, port: int, on_drain: Callable[[], None]) -> None:
    """Serve until a signal comes, then drain."""
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
