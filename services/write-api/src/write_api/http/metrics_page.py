"""The page of metrics, and the middleware that counts requests."""

from __future__ import annotations

import time
from typing import Final

from litestar import Response, get
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry

from cheeper_contracts.http import routes
from cheeper_runtime.metrics.page import CONTENT_TYPE, page
from write_api.ops.metrics import HttpMetrics

NO_ROUTE: Final = "none"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def metrics_handler(registry: CollectorRegistry) -> HTTPRouteHandler:
    """Return the handler of the page, which stands on the process's own port: the gateway does not pass it on."""

    @get(routes.METRICS, include_in_schema=False)
    async def metrics() -> Response[bytes]:
        return Response(page(registry), media_type=CONTENT_TYPE)

    return metrics


class MeteringMiddleware:
    """Counts requests and their duration by route."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as ASGI prescribes."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = scope.get("path_template") or NO_ROUTE
            self._metrics.responded(route, method, status, time.perf_counter() - began)
