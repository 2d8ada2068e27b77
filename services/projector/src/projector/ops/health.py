"""The pages of a process: liveness, readiness and metrics."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import msgspec

from cheeper_contracts.http import routes
from cheeper_contracts.http.responses import NO_SNIFF, NO_STORE, Answer, Meta, Problem
from cheeper_runtime.readiness.needs import Readiness, is_ready

Page = Callable[[str], tuple[bytes, str]]
"""The page of metrics and its type, for the value of the header `Accept`."""


def server(readiness: Readiness, host: str, port: int, metrics: Page) -> ThreadingHTTPServer:
    """Return the server of the pages, which listens already. Raise OSError if the port is taken."""
    listening = ThreadingHTTPServer((host, port), _handler(readiness, metrics))
    listening.daemon_threads = True
    return listening


def _handler(readiness: Readiness, metrics: Page) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == routes.HEALTH_LIVE:
                self._respond(HTTPStatus.OK, {})
            elif self.path == routes.HEALTH_READY:
                needs = readiness.needs()
                self._respond(HTTPStatus.OK if is_ready(needs) else HTTPStatus.SERVICE_UNAVAILABLE, needs)
            elif self.path == routes.METRICS:
                body, content_type = metrics(self.headers.get("Accept", ""))
                self._send(HTTPStatus.OK, content_type, body)
            else:
                self._respond(HTTPStatus.NOT_FOUND, Problem(message="There is no such path.", code="no_such_path"))

        def _respond(self, status: HTTPStatus, data: Any) -> None:
            message_id = str(uuid4())
            body = msgspec.json.encode(Answer(data=data, meta=Meta(message_id=message_id)))
            self._send(status, "application/json", body, message_id)

        def _send(self, status: HTTPStatus, content_type: str, body: bytes, message_id: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            for header in (NO_SNIFF, NO_STORE):
                self.send_header(*header)
            if message_id is not None:
                self.send_header("X-Message-Id", message_id)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Log no request: a health check every second is not worth a line."""

    return Handler
