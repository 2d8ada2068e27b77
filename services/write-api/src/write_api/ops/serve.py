"""Serves an application until SIGTERM or SIGINT, and then finishes the requests in flight."""

from __future__ import annotations

from types import FrameType
from typing import Final

import structlog
import uvicorn
from litestar.types import ASGIApp

DRAIN_SECONDS: Final = 8
"""The time for requests in flight; the rest of ten seconds is for closing connections."""

KEEP_ALIVE_SECONDS: Final = 75
"""The time that a connection may wait for its next request. The gateway keeps it for less, so that it never sends a
command on a connection that is about to close, and would not know whether the command was received."""

log = structlog.get_logger()


class Server(uvicorn.Server):
    """Uvicorn that does not raise a handled signal again, so that the process ends by itself with exit code 0."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain."""
        del frame
        log.info("draining", signal=sig)
        self.should_exit = True


def server_of(app: ASGIApp, host: str, port: int) -> Server:
    """Return a server of the application, to be run by `await server.serve()`."""
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
