"""The HTTP role's application."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry

from cheeper_contracts.http import routes
from cheeper_contracts.messages import Command
from cheeper_runtime.checks import Check
from cheeper_runtime.readiness import Readiness
from cheeper_runtime.tokens.verifier import Verifier
from write_api.bus.dispatcher import Dispatcher
from write_api.http.context import ContextMiddleware
from write_api.http.endpoint import Endpoint, route_handler
from write_api.http.forms import MAX_BODY_BYTES
from write_api.http.health import health_handlers, watching
from write_api.http.metrics_page import MeteringMiddleware, metrics_handler
from write_api.http.problems import EXCEPTION_HANDLERS
from write_api.ops.metrics import HttpMetrics


def create_app(  # noqa: PLR0913 - bootstrap passes each of them
    endpoints: Mapping[type[Command], Endpoint],
    dispatcher: Dispatcher,
    checks: Mapping[str, Check],
    registry: CollectorRegistry,
    warnings: Mapping[str, Check] = MappingProxyType({}),
    *,
    verifier: Verifier | None = None,
) -> ASGIApp:
    """Return the application of the endpoints over a dispatcher. It counts its requests in `registry`, and exposes that
    on its page of metrics. `warnings` are checks whose failure is shown and does not make it unready.
    Without a `verifier` of tokens, the API is open.
    """
    readiness, warned = Readiness(), Readiness()
    commands = Router(
        "/",
        route_handlers=[route_handler(*row) for row in endpoints.items()],
        dependencies={"dispatcher": Provide(lambda: dispatcher, sync_to_thread=False)},
    )
    app = Litestar(
        [commands, *health_handlers(readiness, warned), metrics_handler(registry)],
        lifespan=[watching(readiness, checks), watching(warned, warnings)],
        exception_handlers={**EXCEPTION_HANDLERS},
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=OpenAPIConfig(
            title="Cheeper: commands",
            version="1",
            path=routes.OPENAPI,
            render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
            use_handler_docstrings=True,
        ),
        logging_config=None,
    )
    return ContextMiddleware(MeteringMiddleware(app, HttpMetrics(registry)), verifier)
