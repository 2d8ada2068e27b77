"""The metrics of HTTP requests, which are the same for each process but for the beginning of their names."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram

from cheeper_runtime.metrics.page import Declaration

NO_ROUTE: Final = "none"
"""The label of requests without a route, those of unknown paths."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

App = Callable[[Any, Any, Any], Awaitable[None]]


class HttpDeclarations(msgspec.Struct, frozen=True):
    """The metrics of the requests of a process."""

    requests: Declaration
    seconds: Declaration

    def all(self) -> tuple[Declaration, ...]:
        """Return all of them."""
        return self.requests, self.seconds


def declare(prefix: str) -> HttpDeclarations:
    """Return the metrics whose names begin with this prefix."""
    return HttpDeclarations(
        requests=Declaration(
            f"{prefix}_http_requests_total", "Requests that got a response", ("route", "method", "status")
        ),
        seconds=Declaration(
            f"{prefix}_http_request_duration_seconds",
            "Time from the head of a request to the end of its response",
            ("route", "method"),
            histogram=True,
        ),
    )


class MeteredApp:
    """Counts the requests of an application of Litestar and their duration, by the template of their route."""

    def __init__(self, app: App, declared: HttpDeclarations, registry: CollectorRegistry) -> None:
        requests, seconds = declared.requests, declared.seconds
        self._app = app
        self._requests = Counter(requests.name, requests.documentation, requests.labels, registry=registry)
        self._seconds = Histogram(
            seconds.name, seconds.documentation, seconds.labels, buckets=_SECONDS, registry=registry
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request as ASGI prescribes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_and_note(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = scope.get("path_template") or NO_ROUTE
            self._requests.labels(route, method, str(status)).inc()
            self._seconds.labels(route, method).observe(time.perf_counter() - began)
