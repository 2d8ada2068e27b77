"""The OpenID provider in memory behind a real server, as browsers and identity reach it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from cheeper_runtime.tokens.testing import MemoryProvider

_HOST: Final = "127.0.0.1"


@contextmanager
def serving(*, secret: str = "") -> Iterator[MemoryProvider]:
    """Serve a provider for the duration of a block. Its `redirect_uri` is to be set before somebody signs in."""
    server = ThreadingHTTPServer((_HOST, 0), _Handler)
    provider = server.provider = MemoryProvider(f"http://{_HOST}:{server.server_port}", secret=secret)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, name="provider", daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the library
        """Write nothing."""

    def _respond(self) -> None:
        provider: MemoryProvider = self.server.provider  # type: ignore[attr-defined]
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, headers, body = provider.respond(self.command, self.path, dict(self.headers), sent)
        except ValueError as error:
            status, headers, body = 400, {}, str(error).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
