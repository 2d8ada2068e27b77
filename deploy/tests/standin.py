"""A service that stands behind the gateway in these tests and can be made to fail in the ways that real ones do.

    python standin.py PORT NAME

It responds to any request with what it received, as JSON. A request's header `Misbehave` makes it `hang up` after it
has read the request; `/health/ready` is 200 until a request has the header `Misbehave: sick`, and `/health/live` until
one has `Misbehave: busy`; the former has a warning once one has `Misbehave: warn`. `/probes` has the number of requests
for `/health/live` that were not served.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = sys.argv[2]
requests: list[dict[str, object]] = []
state = {"ready": True, "live": True, "probes": 0}
warning: dict[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    """Any method."""

    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        """Respond with what was received."""
        body = self._body()
        if self.path == "/requests":
            self._respond(200, requests)
            return
        if self.path == "/probes":
            self._respond(200, state["probes"])
            return
        if self.path == "/health/live":
            self._respond_to_probe()
            return
        if self.path == "/health/ready":
            self._respond(200 if state["ready"] else 503, {}, warning)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = {"name": NAME, "method": self.command, "path": self.path, "headers": headers, "size": len(body)}
        requests.append(received)
        match headers.get("misbehave", "").replace(NAME, "").strip():
            case "hang up":
                self.close_connection = True
            case "busy":
                state["live"] = False
                self._respond(200, received)
            case "warn":
                warning["X-Warning"] = "events"
                self._respond(200, received)
            case "sick":
                state["ready"] = False
                self._respond(200, received)
            case _:
                self._respond(200, received)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that it looks for

    def _respond_to_probe(self) -> None:
        if state["live"]:
            self._respond(200, {})
        else:
            state["probes"] += 1
            self.close_connection = True

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _respond(self, status: int, data: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"data": data, "meta": {"message_id": self.headers.get("X-Message-Id")}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
