"""Serves an application until SIGTERM or SIGINT, then lets requests in flight finish."""

from __future__ import annotations

from types import FrameType
from typing import Final

import structlog
import uvicorn
from litestar.types import ASGIApp

DRAIN_SECONDS: Final = 8
"""For requests in flight; what is left of ten seconds is for closing connections."""

KEEP_ALIVE_SECONDS: Final = 75
"""For connections that wait for the next request: longer than the gateway keeps them, so that it never sends a command
on one that is about to close and cannot tell whether the command was taken."""

log = structlog.get_logger()


class Server(uvicorn.Server):
    """Uvicorn, but a signal that it has obeyed is not raised again: the process ends by itself, with exit code 0."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain."""
        del frame
        log.info("draining", signal=sig)
        self.should_exit = True


def server_of(app: ASGIApp, host: str, port: int) -> Server:
    """A server of the application, to be run by `await server.serve()`."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http="httptools",
            loop="uvloop",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
    )
