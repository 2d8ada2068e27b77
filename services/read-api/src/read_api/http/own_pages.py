"""The process's own pages, which the gateway does not pass on: liveness, readiness and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from cheeper_contracts.http.responses import RETRY_AFTER_SECONDS, Answer, Meta
from cheeper_contracts.http.routes import HEALTH_LIVE, HEALTH_READY, METRICS
from cheeper_runtime.metrics.page import CONTENT_TYPE
from cheeper_runtime.readiness.needs import Need, Readiness, is_ready
from read_api.http.responses import MESSAGE_ID
from read_api.ops.metrics import Metrics, Progress
from read_api.query_bus.query import StoreUnavailableError

Needs = dict[str, Need]
StoreProgress = Mapping[str, Callable[[], Awaitable[Progress]]]
"""Reads the progress of each store, by its name. Each raises StoreUnavailableError."""


def health_pages(readiness: Readiness) -> list[HTTPRouteHandler]:
    """Return the handlers of the two health pages. Nothing is checked for a request: readiness has a recent result."""

    def page(request: Request[Any, Any, Any], needs: Needs) -> Response[Answer[Needs]]:
        scope: Any = request.scope
        ready = is_ready(needs)
        return Response(
            Answer(data=needs, meta=Meta(message_id=scope[MESSAGE_ID])),
            status_code=200 if ready else 503,
            headers=None if ready else {"Retry-After": str(RETRY_AFTER_SECONDS)},
        )

    @get(HEALTH_LIVE, summary="Does the process live?", operation_id="Live")
    async def live(request: Request[Any, Any, Any]) -> Response[Answer[Needs]]:
        return page(request, {"process": Need(ok=True)})

    unavailable = {
        503: ResponseSpec(Answer[Needs], description="Something needed is unavailable", generate_examples=False)
    }

    @get(HEALTH_READY, summary="Is what the process needs there?", operation_id="Ready", responses=unavailable)
    async def ready(request: Request[Any, Any, Any]) -> Response[Answer[Needs]]:
        return page(request, readiness.needs())

    return [live, ready]


def metrics_page(metrics: Metrics, stores: StoreProgress) -> HTTPRouteHandler:
    """Return the handler of the metrics page. The progress of an unavailable store is left out."""

    async def progress_of(store: str) -> Progress | None:
        try:
            return await stores[store]()
        except StoreUnavailableError:
            return None

    @get(METRICS, include_in_schema=False, media_type=MediaType.TEXT)
    async def page() -> Response[bytes]:
        found = await asyncio.gather(*map(progress_of, stores))
        progress = {store: each for store, each in zip(stores, found, strict=True) if each is not None}
        return Response(metrics.page(progress), media_type=CONTENT_TYPE)

    return page
