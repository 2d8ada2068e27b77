"""The HTTP application: the queries, and Litestar with OpenAPI and the process's own pages, behind the entrance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from cheeper_contracts.routes import OPENAPI
from read_api.http import endpoints, health, metrics_page, problems
from read_api.http.answering import Answering
from read_api.http.entrance import Entrance
from read_api.http.replies import ASGIApp
from read_api.ops.metrics import Metrics
from read_api.query_bus.bus import QueryBus


def build_app(
    bus: QueryBus,
    readiness: health.Readiness,
    close: Callable[[], Awaitable[None]],
    metrics: Metrics,
    looks: metrics_page.Looks,
) -> ASGIApp:
    """The application; `close` is called at its end."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        watching = asyncio.create_task(readiness.watch(), name="readiness")
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await close()

    return Entrance(
        Litestar(
            route_handlers=[
                *endpoints.documented(),
                *health.handlers(readiness),
                metrics_page.handler(metrics, looks),
            ],
            exception_handlers=problems.HANDLERS,
            lifespan=[lifespan],
            logging_config=None,
            openapi_config=OpenAPIConfig(
                title="Cheeper: the queries",
                version="1",
                path=OPENAPI,
                render_plugins=[JsonRenderPlugin(path="/")],
            ),
        ),
        metrics,
        {each.route.path: Answering(each, bus) for each in endpoints.ENDPOINTS},
    )
