"""A collector of traces for tests: it takes OTLP over HTTP, as Protobuf, and keeps every span in memory.

It passes each request on to another collector, if there is one, and then the response is the other's.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from cheeper_e2e.stack.traces.spans import Span, from_protobuf

PATH = "/v1/traces"


class Collector:
    """The spans that have arrived, and the URL for OTEL_EXPORTER_OTLP_ENDPOINT."""

    def __init__(self, url: str, next_url: str | None) -> None:
        self.url = url
        self._next_url = next_url
        self._spans: list[Span] = []
        self._lock = threading.Lock()

    def receive(self, body: bytes) -> int:
        """Keep the spans of a request, and return the status of the response."""
        spans = list(from_protobuf(ExportTraceServiceRequest.FromString(body)))
        with self._lock:
            self._spans += spans
        if self._next_url is None:
            return 200
        headers = {"Content-Type": "application/x-protobuf"}
        return httpx.post(f"{self._next_url}{PATH}", content=body, headers=headers, timeout=60).status_code

    def spans(self) -> list[Span]:
        """Return every span that has arrived."""
        with self._lock:
            return list(self._spans)


@contextmanager
def collector(next_url: str | None = None) -> Iterator[Collector]:
    """Run a collector on a free port of this machine. `next_url` is that of the collector after it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    running = Collector(f"http://127.0.0.1:{server.server_address[1]}", next_url)
    _Handler.collectors[server.server_address[1]] = running
    thread = threading.Thread(target=server.serve_forever, name="collector", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        del _Handler.collectors[server.server_address[1]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    collectors: dict[int, Collector] = {}  # noqa: RUF012 - by port: the server makes a handler for each connection

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        status = 404
        if self.path == PATH:
            status = self.collectors[self.server.server_address[1]].receive(body)  # type: ignore[index]  # an IPv4 address
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parameter's name in http.server
        """Log nothing."""
