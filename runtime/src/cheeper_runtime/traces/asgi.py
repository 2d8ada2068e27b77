"""The span of an HTTP request, around an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from cheeper_runtime.traces.conventions import HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, OTHER_METHOD
from cheeper_runtime.traces.traceparent import HEADER
from cheeper_runtime.traces.tracer import Tracer, failed, traceparent_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SERVER_ERROR: Final = 500


class TracedApp:
    """Gives each sampled request of a known route a span, and passes on the span's traceparent in the place of the
    caller's. A request that is not sampled is passed on as it is.

    `route_of` returns the template of a path's route, None for a path that gets no span.
    """

    def __init__(self, app: App, tracer: Tracer, route_of: Callable[[str], str | None]) -> None:
        self._app = app
        self._tracer = tracer
        self._route_of = route_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as ASGI prescribes."""
        if scope["type"] != "http" or not self._tracer.samples(caller := _caller_in(scope["headers"])):
            await self._app(scope, receive, send)
            return
        route = self._route_of(scope["path"])
        if route is None:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else OTHER_METHOD
        with self._tracer.request(f"{method} {route}", caller, {HTTP_METHOD: method, HTTP_ROUTE: route}) as span:
            others = [header for header in scope["headers"] if header[0] != HEADER]
            scope["headers"] = [*others, (HEADER, traceparent_of(span).encode())]

            async def send_and_note(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute(HTTP_STATUS, message["status"])
                    if message["status"] >= _SERVER_ERROR:
                        failed(span, str(message["status"]))
                await send(message)

            await self._app(scope, receive, send_and_note)


def _caller_in(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == HEADER:
            return value.decode("latin-1")
    return None


def traced_app(app: App, tracer: Tracer | None, route_of: Callable[[str], str | None]) -> App:
    """Return the application with spans, or as it is if traces are off."""
    return app if tracer is None else TracedApp(app, tracer, route_of)
