"""Builds the HTTP application: Litestar with the queries, its OpenAPI document and the process's own pages, and the
dispatcher before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from cheeper_contracts.http.routes import OPENAPI
from cheeper_runtime.checks import Check, watch
from cheeper_runtime.readiness import Readiness
from cheeper_runtime.tokens.verifier import Verifier
from read_api.http.dispatcher import Dispatcher
from read_api.http.endpoints import ENDPOINTS
from read_api.http.openapi import query_handler
from read_api.http.own_pages import StoreProgress, health_pages, metrics_page
from read_api.http.problems import EXCEPTION_HANDLERS
from read_api.http.query_endpoint import QueryEndpoint
from read_api.http.responses import ASGIApp
from read_api.ops.metrics import Metrics
from read_api.query_bus.bus import QueryBus


def build_app(  # noqa: PLR0913 - bootstrap passes each of them
    bus: QueryBus,
    checks: Mapping[str, Check],
    close: Callable[[], Awaitable[None]],
    metrics: Metrics,
    progress: StoreProgress,
    *,
    verifier: Verifier | None = None,
) -> ASGIApp:
    """Return the application. `close` is called when it ends. Without a `verifier` of tokens, the API is open."""
    readiness = Readiness(*checks)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        watching = asyncio.create_task(watch(readiness, checks), name="readiness")
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await close()

    queries = {row.route.path: QueryEndpoint(row, bus) for row in ENDPOINTS}
    litestar = Litestar(
        route_handlers=[
            *(query_handler(row, queries[row.route.path]) for row in ENDPOINTS),
            *health_pages(readiness),
            metrics_page(metrics, progress),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lifespan],
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Cheeper: the queries",
            version="1",
            path=OPENAPI,
            render_plugins=[JsonRenderPlugin(path="/")],
        ),
    )
    return Dispatcher(litestar, queries, metrics, verifier)
