"""What every request passes before the framework: its message id, the routes of both services, its line in the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any, Final

import msgspec
import structlog
import uuid_utils

from cheeper_contracts.answers import MESSAGE_ID_HEADER, STATUS_OF, Answer, Meta, Problem
from cheeper_contracts.routes import HEALTH_LIVE, HEALTH_READY, METRICS, OPENAPI, READ, Route, route_of
from read_api.http.parameter_table import UUID
from read_api.metrics import NO_QUERY, Metrics

OWN_PAGES: Final = (HEALTH_LIVE, HEALTH_READY, METRICS, OPENAPI)
_HEADER: Final = MESSAGE_ID_HEADER.lower().encode()
_STATE: Final = "cheeper.message_id"

Scope = Mapping[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

log = structlog.get_logger()


def message_id_of(scope: Any) -> str:
    """The id of the query that a request asks."""
    return str(scope[_STATE])


class Entrance:
    """An ASGI application around another.

    It takes the gateway's message id or makes one, puts it on the answer, answers 404 and 405 from the routes of both
    services, lets HEAD be GET (the server leaves the body out), logs one line a request, and measures it under the name
    that `queries` has for its route's path.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, queries: Mapping[str, str]) -> None:
        self._app = app
        self._metrics = metrics
        self._queries = queries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        message_id = _given_id(scope) or str(uuid_utils.uuid7())
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (_HEADER, message_id.encode())]
            await send(message)

        inner = {**scope, _STATE: message_id, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
        path = scope["path"]
        route = route_of(path)
        refusal = _refused(path, route, inner["method"])
        if refusal is None:
            await self._app(inner, receive, send_named)
        else:
            await _answer(send_named, message_id, *refusal)
        seconds = perf_counter() - began
        if path in OWN_PAGES:
            write = log.debug  # probes come every few seconds
        else:
            write = log.info
            query = NO_QUERY if route is None else self._queries.get(route.path, NO_QUERY)
            self._metrics.answered(query, status, seconds)
        write(
            "answered",
            message_id=message_id,
            method=scope["method"],
            path=path,
            status=status,
            ms=round(seconds * 1000, 2),
        )


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _HEADER:
            text = value.decode("latin-1")
            return text.lower() if UUID.fullmatch(text) else None
    return None


def _refused(path: str, route: Route | None, method: str) -> tuple[Problem, dict[str, str]] | None:
    if path not in OWN_PAGES and route is None:
        return Problem(message="There is no such path", code="no_such_path"), {}
    if method in (READ if route is None else route.queries):
        return None
    allow = ", ".join(READ) if route is None else route.allow
    return Problem(message=f"{method} is not answered here", code="method_not_allowed"), {"allow": allow}


async def _answer(send: Send, message_id: str, told: Problem, headers: dict[str, str]) -> None:
    body = msgspec.json.encode(Answer(data=told, meta=Meta(message_id=message_id)))
    all_headers = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    await send(
        {
            "type": "http.response.start",
            "status": STATUS_OF[told.code],
            "headers": [(name.encode(), value.encode()) for name, value in all_headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
