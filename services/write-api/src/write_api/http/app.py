"""The HTTP role's application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry

from cheeper_contracts.messages import Command
from cheeper_runtime.metrics.http import MeteredApp
from cheeper_runtime.rate_limits.limits import RateLimits
from cheeper_runtime.readiness.checks import Check
from cheeper_runtime.readiness.metrics import ReadinessCollector
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.tokens.verifier import Verifier
from write_api.bus.dispatcher import Dispatcher
from write_api.http import openapi
from write_api.http.context import ContextMiddleware
from write_api.http.endpoint import Endpoint, route_handler
from write_api.http.forms import MAX_BODY_BYTES
from write_api.http.health import health_handlers, measuring, watching
from write_api.http.metrics_page import metrics_handler
from write_api.http.problems import EXCEPTION_HANDLERS
from write_api.ops.metrics import HTTP, READY


def create_app(  # noqa: PLR0913 - bootstrap passes each of them
    endpoints: Mapping[type[Command], Endpoint],
    dispatcher: Dispatcher,
    checks: Mapping[str, Check],
    registry: CollectorRegistry,
    warnings: Mapping[str, Check] = MappingProxyType({}),
    *,
    verifier: Verifier | None = None,
    rate_limits: RateLimits | None = None,
) -> ASGIApp:
    """Return the application of the endpoints over a dispatcher. It counts its requests in `registry`, and exposes that
    on its page of metrics. `warnings` are checks whose failure is shown and does not make it unready.
    Without a `verifier` of tokens, the API is open; without `rate_limits`, it has none.
    """
    readiness, warned = Readiness(), Readiness()
    registry.register(ReadinessCollector(READY, readiness.met))
    app = Litestar(
        [_commands(endpoints, lambda: dispatcher), *health_handlers(readiness, warned), metrics_handler(registry)],
        lifespan=[watching(readiness, checks), watching(warned, warnings), measuring(registry)],
        exception_handlers={**EXCEPTION_HANDLERS},
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=openapi.CONFIG,
        logging_config=None,
    )
    return ContextMiddleware(MeteredApp(app, HTTP, registry), verifier, rate_limits)


def api_document(endpoints: Mapping[type[Command], Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI document of the endpoints, without the process's own pages."""

    def no_dispatcher() -> Dispatcher:
        raise NotImplementedError

    return Litestar([_commands(endpoints, no_dispatcher)], openapi_config=openapi.CONFIG).openapi_schema.to_schema()


def _commands(endpoints: Mapping[type[Command], Endpoint], dispatcher: Callable[[], Dispatcher]) -> Router:
    return Router(
        "/",
        route_handlers=[route_handler(*row) for row in endpoints.items()],
        dependencies={"dispatcher": Provide(dispatcher, sync_to_thread=False)},
    )
