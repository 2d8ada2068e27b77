"""The first piece of code that each request passes: its message id, its route, its metrics and its line in the log."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final

import structlog
import uuid_utils

from cheeper_contracts.http.responses import Problem
from cheeper_contracts.http.routes import HEALTH_LIVE, HEALTH_READY, METRICS, OPENAPI, READ, Route, route_of
from cheeper_runtime.concurrency.limit import OverloadedError
from cheeper_runtime.logs import LOGGED_CHARACTERS
from cheeper_runtime.rate_limits.limits import LimitedRequest, RateLimits
from cheeper_runtime.tokens.bearer import authenticate
from cheeper_runtime.tokens.verifier import Verifier
from read_api.http.caching import NOT_STORED
from read_api.http.parameter_table import UUID
from read_api.http.problems import ProblemResponse, send_problem
from read_api.http.query_endpoint import ClientDisconnectedError, QueryEndpoint
from read_api.http.responses import (
    AFTER,
    AUTHENTICATION,
    BEGAN,
    ERROR,
    ID_HEADER,
    LIMITED,
    MESSAGE_ID,
    STATUS,
    ASGIApp,
    Message,
    Receive,
    Scope,
    Send,
)
from read_api.http.stream_endpoint import StreamEndpoint
from read_api.ops.metrics import NO_QUERY, Metrics
from read_api.query_bus.query import StoreUnavailableError, TooCostlyError

OWN_PAGES: Final = (HEALTH_LIVE, HEALTH_READY, METRICS, OPENAPI)
_CLIENT_CLOSED_REQUEST: Final = 499
"""The status for the log and the metrics of a request whose client has disconnected."""

log = structlog.get_logger()


class Dispatcher:
    """An ASGI application around Litestar.

    It takes the gateway's message id or makes one, responds with 404 and 405 from the routes of both services (which
    Litestar does not know), serves HEAD as GET (the server omits the body), logs one line per request, and measures
    it under the name of its query. Without a `verifier` of tokens, the API is open; without `rate_limits`, it has none.

    A query's request goes straight to the endpoint that Litestar's route calls, since the way through Litestar takes
    about a third of the time of a whole page of a timeline (ADR 27). A test compares the two ways.
    """

    def __init__(
        self,
        litestar: ASGIApp,
        endpoints: Mapping[str, QueryEndpoint | StreamEndpoint],
        metrics: Metrics,
        verifier: Verifier | None = None,
        rate_limits: RateLimits | None = None,
    ) -> None:
        self._litestar = litestar
        self._endpoints = endpoints
        self._metrics = metrics
        self._verifier = verifier
        self._rate_limits = rate_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        if scope["type"] != "http":
            await self._litestar(scope, receive, send)
            return
        began = perf_counter()
        scope[MESSAGE_ID] = _given_id(scope) or str(uuid_utils.uuid7())
        path, method = scope["path"], scope["method"]
        own_page = path in OWN_PAGES
        route = None if own_page else route_of(path)
        endpoint = None if route is None else self._endpoints.get(route.path)
        read_method = "GET" if method == "HEAD" else method
        problem = _routing_problem(route, read_method, own_page=own_page)
        try:
            if problem is not None:
                await send_problem(scope, send, problem)
            elif endpoint is not None:
                if self._verifier is not None:
                    scope[AUTHENTICATION] = await authenticate(self._verifier, scope["headers"])
                if self._rate_limits is not None:
                    authentication, client = scope.get(AUTHENTICATION), scope.get("client")
                    actor = None if authentication is None else authentication.caller
                    scope[LIMITED] = LimitedRequest(self._rate_limits, actor, client and client[0], scope["headers"])
                await endpoint(scope, receive, send)
            else:
                await self._serve_own_page(scope, receive, send, read_method)
        except ClientDisconnectedError:
            scope[STATUS] = _CLIENT_CLOSED_REQUEST
        seconds = perf_counter() - began
        until_response = scope.get(BEGAN, began + seconds) - began  # a stream may last for an hour
        if not own_page:
            name = NO_QUERY if endpoint is None else endpoint.query_name
            self._metrics.record_request(name, scope[STATUS], until_response, after=AFTER in scope)
        _log_request(scope, seconds, own_page=own_page)

    async def _serve_own_page(self, scope: Scope, receive: Receive, send: Send, method: str) -> None:
        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope[STATUS] = message["status"]
                message["headers"] = [*message["headers"], (ID_HEADER, scope[MESSAGE_ID].encode()), *NOT_STORED]
            await send(message)

        page_scope = {**scope, "method": method}
        await self._litestar(page_scope, receive, send_with_id)
        scope[ERROR] = page_scope.get(ERROR)


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == ID_HEADER:
            text = value.decode("latin-1")
            return text.lower() if UUID.fullmatch(text) else None
    return None


def _routing_problem(route: Route | None, method: str, *, own_page: bool) -> ProblemResponse | None:
    """Return the 404 or 405 response, or None if the path allows the method."""
    if route is None and not own_page:
        return ProblemResponse(problem=Problem(message="There is no such path", code="no_such_path"))
    if method in (READ if route is None else route.queries):
        return None
    allow = ", ".join(READ) if route is None else route.allow
    problem = Problem(message=f"{method} is not answered here", code="method_not_allowed")
    return ProblemResponse(problem=problem, headers=(("allow", allow),))


def _log_request(scope: Scope, seconds: float, *, own_page: bool) -> None:
    """Log a request and its error in one line, or at debug level for the own pages, which are probed often."""
    write = log.debug if own_page else log.info
    failure: dict[str, Any] = {}
    error = scope.get(ERROR)
    if isinstance(error, StoreUnavailableError):
        write, failure = log.warning, {"store": error.store, "error": error.reason}
    elif isinstance(error, OverloadedError | TooCostlyError):  # no defect, and as frequent as the requests
        failure = {"limit": error.limit}
    elif error is not None and scope[STATUS] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        write, failure = log.error, {"exc_info": error}
    write(
        "request",
        message_id=scope[MESSAGE_ID],
        method=scope["method"],
        path=scope["path"][:LOGGED_CHARACTERS],
        status=scope[STATUS],
        ms=round(seconds * 1000, 2),
        **failure,
    )
