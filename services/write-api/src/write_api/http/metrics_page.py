"""The page of metrics."""

from __future__ import annotations

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry

from cheeper_contracts.http import routes
from cheeper_runtime.metrics.page import CONTENT_TYPE, page


def metrics_handler(registry: CollectorRegistry) -> HTTPRouteHandler:
    """Return the handler of the page, which stands on the process's own port: the gateway does not pass it on."""

    @get(routes.METRICS, include_in_schema=False)
    async def metrics() -> Response[bytes]:
        return Response(page(registry), media_type=CONTENT_TYPE)

    return metrics
