"""Builds the HTTP application: Litestar with the queries, its OpenAPI document and the process's own pages, and the
dispatcher before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from cheeper_runtime.concurrency.background import in_background
from cheeper_runtime.rate_limits.limits import RateLimits
from cheeper_runtime.readiness.checks import Check, watch
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.tokens.verifier import Verifier
from read_api.http.dispatcher import Dispatcher
from read_api.http.endpoints import ENDPOINTS, STREAMED
from read_api.http.openapi import CONFIG, query_handler, stream_handler
from read_api.http.own_pages import StoreProgress, health_pages, metrics_page
from read_api.http.problems import EXCEPTION_HANDLERS
from read_api.http.query_endpoint import QueryEndpoint
from read_api.http.responses import ASGIApp
from read_api.http.stream_endpoint import StreamEndpoint
from read_api.ops.metrics import Metrics
from read_api.query_bus.bus import QueryBus
from read_api.streams.streams import Streams


def build_app(  # noqa: PLR0913, PLR0917 - bootstrap passes each of them
    bus: QueryBus,
    streams: Streams,
    checks: Mapping[str, Check],
    close: Callable[[], Awaitable[None]],
    metrics: Metrics,
    progress: StoreProgress,
    *,
    verifier: Verifier | None = None,
    rate_limits: RateLimits | None = None,
) -> ASGIApp:
    """Return the application. `close` is called when it ends. Without a `verifier` of tokens, the API is open; without
    `rate_limits`, it has none.
    """
    readiness = Readiness(*checks)
    metrics.needs = readiness.met

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with in_background(watch(readiness, checks)), in_background(metrics.loop_delay.watch()):
            yield
        await close()

    queries: dict[str, QueryEndpoint] = {row.route.path: QueryEndpoint(row, bus) for row in ENDPOINTS}
    streamed = {row.route.path: StreamEndpoint(row, streams, verifier) for row in STREAMED}
    litestar = Litestar(
        route_handlers=[
            *_handlers({**queries, **streamed}),
            *health_pages(readiness),
            metrics_page(metrics, progress),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lifespan],
        logging_config=None,
        openapi_config=CONFIG,
    )
    return Dispatcher(litestar, {**queries, **streamed}, metrics, verifier, rate_limits)


def api_document() -> dict[str, Any]:
    """Return the OpenAPI document of the queries, without the process's own pages."""

    async def no_app(*_: object) -> None:
        raise NotImplementedError

    apps = dict.fromkeys((row.route.path for row in (*ENDPOINTS, *STREAMED)), no_app)
    return Litestar(_handlers(apps), openapi_config=CONFIG).openapi_schema.to_schema()


def _handlers(apps: Mapping[str, ASGIApp]) -> list[HTTPRouteHandler]:
    """Return Litestar's handlers of all endpoints, each of which the app of its path serves."""
    return [
        *(query_handler(row, apps[row.route.path]) for row in ENDPOINTS),
        *(stream_handler(row, apps[row.route.path]) for row in STREAMED),
    ]
