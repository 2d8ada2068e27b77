"""What the process needs, and whether it has it: for /health/ready and for the log."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from cheeper_contracts import routes
from cheeper_contracts.responses import Answer, Meta, Problem

log = structlog.get_logger()


class Need(msgspec.Struct, frozen=True):
    """Whether a need is met, and if not, why."""

    ok: bool
    why: str | None


class Health:
    """The needs of this process by name; safe to use from any thread. A need is unmet until someone says otherwise.

    Several threads may speak of one need, each for its own `part`: it is met when all parts are.
    """

    def __init__(self) -> None:
        self._needs: dict[tuple[str, str], Need] = {}
        self._lock = Lock()

    def expect(self, need: str, part: str = "") -> None:
        """The process needs this, and does not know yet whether it is there."""
        self._set(need, part, Need(ok=False, why="starting"))

    def say(self, need: str, why_not: str | None, part: str = "") -> None:
        """Whether the need is met: none, or why it is not, in words that anyone may read."""
        self._set(need, part, Need(ok=why_not is None, why=why_not))

    def needs(self) -> dict[str, Need]:
        """All needs as they are now."""
        merged: dict[str, Need] = {}
        with self._lock:
            for (name, _), need in self._needs.items():
                if name not in merged or merged[name].ok:
                    merged[name] = need
        return merged

    def withdraw(self, need: str, part: str) -> None:
        """Nobody speaks of it any more."""
        with self._lock:
            self._needs.pop((need, part), None)

    def _set(self, name: str, part: str, need: Need) -> None:
        with self._lock:
            before = self._needs.get((name, part))
            self._needs[name, part] = need
        if before is None or before == need:
            return
        store = {"store": part} if part else {}
        if need.ok:
            log.info("ready", need=name, **store)
        else:
            log.warning("waiting", need=name, why=need.why, **store)


class PartOfHealth(Health):
    """Speaks of the needs of another Health for a part of its own, which it names where it says why not."""

    def __init__(self, whole: Health, name: str) -> None:
        super().__init__()
        self._whole = whole
        self._name = name
        self._spoken: set[tuple[str, str]] = set()

    def expect(self, need: str, part: str = "") -> None:
        """As Health has it."""
        self._whole.expect(need, self._named(need, part))

    def say(self, need: str, why_not: str | None, part: str = "") -> None:
        """As Health has it."""
        why = f"{self._name}: {why_not}" if self._name and why_not is not None else why_not
        self._whole.say(need, why, self._named(need, part))

    def withdraw_all(self) -> None:
        """Its part is over: nothing is needed for it any more."""
        for need, part in self._spoken:
            self._whole.withdraw(need, part)

    def _named(self, need: str, part: str) -> str:
        named = f"{part} {self._name}".strip()
        self._spoken.add((need, named))
        return named


def serve(health: Health, host: str, port: int, metrics: Callable[[], bytes]) -> ThreadingHTTPServer:
    """Answers the two health pages, and with the metrics, in a thread of its own until `shutdown()`.

    Raises OSError if the port is taken.
    """
    server = ThreadingHTTPServer((host, port), _handler(health.needs, metrics))
    server.daemon_threads = True
    Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def _handler(needs: Callable[[], dict[str, Need]], metrics: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == routes.HEALTH_LIVE:
                self._answer(HTTPStatus.OK, {})
            elif self.path == routes.HEALTH_READY:
                found = needs()
                whole = all(need.ok for need in found.values())
                self._answer(HTTPStatus.OK if whole else HTTPStatus.SERVICE_UNAVAILABLE, found)
            elif self.path == routes.METRICS:
                self._send(HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, metrics())
            else:
                self._answer(HTTPStatus.NOT_FOUND, Problem(message="There is no such path.", code="no_such_path"))

        def _answer(self, status: HTTPStatus, data: Any) -> None:
            message_id = str(uuid4())
            body = msgspec.json.encode(Answer(data=data, meta=Meta(message_id=message_id)))
            self._send(status, "application/json", body, message_id)

        def _send(self, status: HTTPStatus, content_type: str, body: bytes, message_id: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if message_id is not None:
                self.send_header("X-Message-Id", message_id)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Nothing: a health check every second is no news."""

    return Handler
