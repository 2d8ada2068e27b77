"""The two health paths, the same for every role: `live` is that the process answers, `ready` that all it needs does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry

from cheeper_contracts import routes
from cheeper_contracts.responses import RETRY_AFTER_SECONDS, Answer, Meta
from cheeper_runtime.checks import Check
from write_api.http.context import AnyRequest, ContextMiddleware, context_of
from write_api.http.in_time import in_time
from write_api.http.metrics_page import metrics_handler
from write_api.http.problems import EXCEPTION_HANDLERS

CHECK_SECONDS: Final = 2.0


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the process needs."""

    ok: bool
    why: str | None = None


def health_handlers(checks: Mapping[str, Check]) -> list[HTTPRouteHandler]:
    """The handlers of both paths. `checks`: what to ask for, by the need's name."""

    @get(routes.HEALTH_LIVE)
    async def live(request: AnyRequest) -> Response[Answer[dict[str, Need]]]:
        """Whether the process answers at all."""
        return _answer(request, {})

    @get(
        routes.HEALTH_READY,
        responses={503: ResponseSpec(Answer[dict[str, Need]], description="Not ready", generate_examples=False)},
    )
    async def ready(request: AnyRequest) -> Response[Answer[dict[str, Need]]]:
        """Whether all that the process needs is there, and what it waits for."""
        found = await asyncio.gather(*(_ask(check) for check in checks.values()))
        return _answer(request, dict(zip(checks, found, strict=True)))

    return [live, ready]


def create_health_app(checks: Mapping[str, Check], registry: CollectorRegistry) -> ASGIApp:
    """An application of the two paths and the page of metrics alone, for the roles that serve nothing else."""
    app = Litestar(
        [*health_handlers(checks), metrics_handler(registry)],
        exception_handlers={**EXCEPTION_HANDLERS},
        openapi_config=None,
        logging_config=None,
    )
    return ContextMiddleware(app)


def _answer(request: AnyRequest, needs: dict[str, Need]) -> Response[Answer[dict[str, Need]]]:
    ready = all(need.ok for need in needs.values())
    return Response(
        Answer(data=needs, meta=Meta(message_id=context_of(request.scope).message_id)),
        status_code=200 if ready else 503,
        headers={} if ready else {"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


async def _ask(check: Check) -> Need:
    try:
        why = await in_time(check(), CHECK_SECONDS)
    except TimeoutError:
        why = f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a need, it is not met
        why = f"no answer: {type(error).__name__}"
    return Need(ok=why is None, why=why)
