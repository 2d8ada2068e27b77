"""The two health pages, the same for every role: `live` responds at all, `ready` names what the process needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType

from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry

from cheeper_contracts.http import routes
from cheeper_contracts.http.responses import RETRY_AFTER_SECONDS, Answer, Meta
from cheeper_runtime.concurrency.background import in_background
from cheeper_runtime.metrics.event_loop_delay import EventLoopDelay
from cheeper_runtime.readiness.checks import Check, watch
from cheeper_runtime.readiness.metrics import ReadinessCollector
from cheeper_runtime.readiness.needs import Need, Readiness, is_ready
from write_api.http.context import AnyRequest, ContextMiddleware, context_of
from write_api.http.metrics_page import metrics_handler
from write_api.http.problems import EXCEPTION_HANDLERS
from write_api.ops.metrics import LOOP_DELAY, READY

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def measuring(registry: CollectorRegistry) -> Lifespan:
    """Return what measures the event loop's delay as long as the application lives, and exposes it in a registry."""
    delay = EventLoopDelay(LOOP_DELAY)
    registry.register(delay)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with in_background(delay.watch()):
            yield

    return lifespan


def watching(readiness: Readiness, checks: Mapping[str, Check]) -> Lifespan:
    """Return what runs the checks, by the need's name, as long as the application lives."""
    readiness.expect(*checks)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with in_background(watch(readiness, checks)):
            yield

    return lifespan


def health_handlers(readiness: Readiness, warnings: Readiness | None = None) -> list[HTTPRouteHandler]:
    """Return the handlers of both pages. Nothing is checked for a request: readiness has a recent result.

    What `warnings` says is on the page, and in a header for the gateway, and does not make the process unready: it can
    do its own work.
    """
    warned = warnings or Readiness()

    @get(routes.HEALTH_LIVE)
    async def live(request: AnyRequest) -> Response[Answer[dict[str, Need]]]:
        """Respond if the process lives."""
        return _response(request, {})

    @get(
        routes.HEALTH_READY,
        responses={503: ResponseSpec(Answer[dict[str, Need]], description="Not ready", generate_examples=False)},
    )
    async def ready(request: AnyRequest) -> Response[Answer[dict[str, Need]]]:
        """Name each thing that the process needs, and what is wrong with it if it is not there."""
        return _response(request, readiness.needs(), warned.needs())

    return [live, ready]


def create_health_app(readiness: Readiness, checks: Mapping[str, Check], registry: CollectorRegistry) -> ASGIApp:
    """Return an application of the health pages and the page of metrics, for the roles that serve no other page."""
    registry.register(ReadinessCollector(READY, readiness.met))
    app = Litestar(
        [*health_handlers(readiness), metrics_handler(registry)],
        lifespan=[watching(readiness, checks), measuring(registry)],
        exception_handlers={**EXCEPTION_HANDLERS},
        openapi_config=None,
        logging_config=None,
    )
    return ContextMiddleware(app)


def _response(
    request: AnyRequest, needs: dict[str, Need], warnings: Mapping[str, Need] = MappingProxyType({})
) -> Response[Answer[dict[str, Need]]]:
    ready = is_ready(needs)
    headers = {} if is_ready(warnings) else {routes.WARNING_HEADER: ", ".join(sorted(warnings))}
    return Response(
        Answer(data={**needs, **warnings}, meta=Meta(message_id=context_of(request.scope).message_id)),
        status_code=200 if ready else 503,
        headers=headers if ready else headers | {"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
