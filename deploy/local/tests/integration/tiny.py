"""A process as small as one can be that behaves as a role does: ready by HTTP, ended by SIGTERM, which it notes."""

from __future__ import annotations

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


def main(role: str, notes: Path) -> None:
    def end(*_: object) -> None:
        with notes.open("a") as file:
            file.write(f"{role}\n")
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    print(f"{role} is up", flush=True)  # noqa: T201 - a line for the runner to pass on
    HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ready).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
