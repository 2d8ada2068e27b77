"""Whether the process lives, and whether what it needs answers.

A store that is away is logged when it goes and when it comes back, and looked for with growing pauses.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from cheeper_contracts.answers import RETRY_AFTER_SECONDS, Answer, Meta
from cheeper_contracts.routes import HEALTH_LIVE, HEALTH_READY
from read_api.http.replies import message_id_of
from read_api.query_bus.query import StoreAwayError

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0

log = structlog.get_logger()


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the process needs: whether it is there, or why not."""

    ok: bool
    why: str | None = None


Needs = dict[str, Need]


class Readiness:
    """Asks what the process needs whether it is there."""

    def __init__(self, pings: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        self._pings = pings
        self._were_ok: dict[str, bool] = {}

    async def check(self) -> Needs:
        """Each need, asked now, all at once."""
        needs = await asyncio.gather(*(self._ask(name, ping) for name, ping in self._pings.items()))
        return dict(zip(self._pings, needs, strict=True))

    async def watch(self) -> None:
        """Keep asking, so that the log tells what is waited for."""
        pause = FIRST_PAUSE
        while True:
            needs = await self.check()
            away = not all(need.ok for need in needs.values())
            pause = min(pause * 2, LONGEST_PAUSE) if away else LONGEST_PAUSE
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter is no secret
            pause = pause if away else FIRST_PAUSE

    async def _ask(self, name: str, ping: Callable[[], Awaitable[None]]) -> Need:
        try:
            await ping()
        except StoreAwayError as error:
            self._tell(name, ok=False, why=str(error))
            return Need(ok=False, why="does not answer")
        self._tell(name, ok=True)
        return Need(ok=True)

    def _tell(self, name: str, *, ok: bool, why: str | None = None) -> None:
        if self._were_ok.get(name) == ok:
            return
        self._were_ok[name] = ok
        if ok:
            log.info("need is there", need=name)
        else:
            log.warning("waiting for need", need=name, why=why)


def handlers(readiness: Readiness) -> list[HTTPRouteHandler]:
    """The two health pages of the process's own port."""

    def answer(request: Request[Any, Any, Any], needs: Needs) -> Response[Answer[Needs]]:
        ready = all(need.ok for need in needs.values())
        return Response(
            Answer(data=needs, meta=Meta(message_id=message_id_of(request.scope))),
            status_code=200 if ready else 503,
            headers=None if ready else {"Retry-After": str(RETRY_AFTER_SECONDS)},
        )

    @get(HEALTH_LIVE, summary="Does the process live?", operation_id="Live")
    async def live(request: Request[Any, Any, Any]) -> Response[Answer[Needs]]:
        return answer(request, {"process": Need(ok=True)})

    away = {503: ResponseSpec(Answer[Needs], description="Something needed is away", generate_examples=False)}

    @get(HEALTH_READY, summary="Is what the process needs there?", operation_id="Ready", responses=away)
    async def ready(request: Request[Any, Any, Any]) -> Response[Answer[Needs]]:
        return answer(request, await readiness.check())

    return [live, ready]
