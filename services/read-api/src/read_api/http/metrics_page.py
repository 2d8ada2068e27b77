"""GET /metrics of the process's own port, which the gateway does not pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from cheeper_contracts.routes import METRICS
from read_api.ops.metrics import Applied, Metrics
from read_api.query_bus.query import StoreAwayError

Looks = Mapping[str, Callable[[], Awaitable[Applied]]]
"""How to ask each store how far it is. Each raises StoreAwayError."""


def handler(metrics: Metrics, looks: Looks) -> HTTPRouteHandler:
    """Answers with all metrics; of a store that is away those are left out that it alone can tell."""

    async def see(store: str) -> Applied | None:
        try:
            return await looks[store]()
        except StoreAwayError:
            return None

    @get(METRICS, include_in_schema=False, media_type=MediaType.TEXT)
    async def page() -> Response[bytes]:
        seen = await asyncio.gather(*(see(store) for store in looks))
        applied = {store: each for store, each in zip(looks, seen, strict=True) if each is not None}
        return Response(metrics.text(applied), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return page
