"""What every request passes: its message id, the routes of both services, its line in the log."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Final

import structlog
import uuid_utils

from cheeper_contracts.answers import Problem
from cheeper_contracts.routes import HEALTH_LIVE, HEALTH_READY, METRICS, OPENAPI, READ, Route, route_of
from read_api.http.answering import Answering
from read_api.http.parameter_table import UUID
from read_api.http.problems import Refusal, refuse
from read_api.http.replies import ID_HEADER, ASGIApp, Message, Receive, Scope, Send, put_message_id
from read_api.ops.metrics import NO_QUERY, Metrics

OWN_PAGES: Final = (HEALTH_LIVE, HEALTH_READY, METRICS, OPENAPI)

log = structlog.get_logger()


class Entrance:
    """An ASGI application: the queries, by their routes' paths, and another application for the process's own pages.

    It takes the gateway's message id or makes one, answers 404 and 405 from the routes of both services, lets HEAD be
    GET (the server leaves the body out), logs one line a request, and measures it under the name of its query.
    """

    def __init__(self, pages: ASGIApp, metrics: Metrics, queries: Mapping[str, Answering]) -> None:
        self._pages = pages
        self._metrics = metrics
        self._queries = queries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        began = perf_counter()
        message_id = _given_id(scope) or str(uuid_utils.uuid7())
        path = scope["path"]
        own = path in OWN_PAGES
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route = None if own else route_of(path)
        query = None if route is None else self._queries.get(route.path)
        refusal = _refused(route, method, own=own)
        if refusal is not None:
            status = await refuse(send, refusal, message_id)
        elif query is not None:
            status = await query(scope, receive, send, message_id)
        else:
            status = await self._page({**scope, "method": method}, receive, send, message_id)
        seconds = perf_counter() - began
        if own:
            write = log.debug  # probes come every few seconds
        else:
            write = log.info
            self._metrics.answered(NO_QUERY if query is None else query.query, status, seconds)
        write(
            "answered",
            message_id=message_id,
            method=scope["method"],
            path=path,
            status=status,
            ms=round(seconds * 1000, 2),
        )

    async def _page(self, scope: Scope, receive: Receive, send: Send, message_id: str) -> int:
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (ID_HEADER, message_id.encode())]
            await send(message)

        put_message_id(scope, message_id)
        await self._pages(scope, receive, send_named)
        return status


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == ID_HEADER:
            text = value.decode("latin-1")
            return text.lower() if UUID.fullmatch(text) else None
    return None


def _refused(route: Route | None, method: str, *, own: bool) -> Refusal | None:
    if route is None and not own:
        return Refusal(told=Problem(message="There is no such path", code="no_such_path"))
    if method in (READ if route is None else route.queries):
        return None
    allow = ", ".join(READ) if route is None else route.allow
    told = Problem(message=f"{method} is not answered here", code="method_not_allowed")
    return Refusal(told=told, headers=(("allow", allow),))
