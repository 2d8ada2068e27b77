"""The application: traces, health and metrics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final
from uuid import UUID

from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry

from cheeper_contracts.http import inspector as routes
from cheeper_contracts.http.routes import HEALTH_LIVE, HEALTH_READY, METRICS, Route
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.metrics.page import CONTENT_TYPE, page
from cheeper_runtime.tokens.verifier import Verifier
from inspector.authors.state import Compare, author_state
from inspector.failed.messages import FailedMessages, FailedReader, failed_messages
from inspector.http.authorisation import require
from inspector.http.problems import EXCEPTION_HANDLERS, AnyRequest, InvalidError, respond
from inspector.system.state import SystemState
from inspector.trace.evidence import Readers
from inspector.trace.tracer import Tracer

_USERNAME: Final = re.compile(r"@[A-Za-z0-9_]{1,30}")

OpenReaders = Callable[[], AbstractContextManager[Readers]]
Work = Callable[[Readers], Any]
"""The work of a request over its readers, which wait for their servers: it runs in a thread."""


def create_app(  # noqa: PLR0913 - the parts of an application
    open_readers: OpenReaders,
    compare: Compare,
    system: Callable[[], SystemState],
    limit: ConcurrencyLimit,
    *,
    verifier: Verifier | None,
    registry: CollectorRegistry,
) -> Litestar:
    """Return the application. `limit` bounds the requests that are worked on at once, `compare` compares an author,
    and `system` reads the state of the system. Without a verifier, the API is open.
    """
    works: dict[Route, Callable[[AnyRequest], Work]] = {
        routes.TRACE: _trace,
        routes.FAILED: _failed,
        routes.AUTHOR: lambda request: _author(request, compare),
        routes.SYSTEM: lambda _: lambda _readers: system(),
    }

    def handler(route: Route, work_of: Callable[[AnyRequest], Work]) -> HTTPRouteHandler:
        @get(typed(route))
        async def handle(request: AnyRequest) -> Response[Any]:
            await require(route, verifier, request.scope["headers"])
            work = work_of(request)

            def run() -> Any:
                with open_readers() as readers:
                    return work(readers)

            return respond(request, await limit.run(asyncio.to_thread, run))

        return handle

    return Litestar(
        [*(handler(route, work_of) for route, work_of in works.items()), *process_handlers(registry)],
        exception_handlers={**EXCEPTION_HANDLERS},
        openapi_config=None,
        logging_config=None,
    )


def typed(route: Route) -> str:
    """Return a route's path as the framework wants it, whose parameters have types."""
    return route.path.replace("}", ":str}")


def _trace(request: AnyRequest) -> Work:
    of: str = request.path_params["of"]
    if _USERNAME.fullmatch(of):
        return lambda readers: Tracer(readers).named(of[1:])
    identifier = _uuid("of", of, "must be a UUID, or a username after @")
    return lambda readers: Tracer(readers).trace(identifier)


def _failed(request: AnyRequest) -> Work:
    if request.query_params.get("reveal") == "1":
        raise InvalidError("reveal", "is for operations: POST /operations/failed with a reason shows the content")
    return lambda readers: failed_of(readers, reveal=False)


def failed_of(readers: Readers, *, reveal: bool) -> FailedMessages:
    """Return the failed messages of all servers."""
    servers: dict[str, FailedReader] = {
        "postgres": readers.write_model,
        "redis": readers.redis,
        "mongo": readers.mongo,
    }
    return failed_messages(servers, reveal=reveal)


def _author(request: AnyRequest, compare: Compare) -> Work:
    author_id = _uuid("author_id", request.path_params["author_id"], "must be a UUID")
    return lambda readers: author_state(author_id, readers, compare)


def _uuid(field: str, text: str, reason: str) -> str:
    """Return the id in lower case. Raise InvalidError."""
    try:
        found = str(UUID(text))
    except ValueError:
        found = ""
    if found != text.lower():
        raise InvalidError(field, reason)
    return found


def process_handlers(registry: CollectorRegistry) -> list[HTTPRouteHandler]:
    """Return the handlers of health and metrics, which each process has."""

    @get(HEALTH_LIVE)
    async def live(request: AnyRequest) -> Response[Any]:
        return respond(request, {})

    # It needs no server to be of use: a trace says which ones are unavailable.
    @get(HEALTH_READY)
    async def ready(request: AnyRequest) -> Response[Any]:
        return respond(request, {})

    @get(METRICS)
    async def metrics() -> Response[bytes]:
        return Response(page(registry), media_type=CONTENT_TYPE)

    return [live, ready, metrics]
