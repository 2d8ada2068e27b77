"""How requests fail: one table from an error to its answer.

InvalidError      422 invalid, with all wrong fields
NotFoundError     404 with its own code
StoreAwayError    503 unavailable, with Retry-After
HTTPException     what Litestar itself refuses of our own pages: invalid, where it is the client's fault
anything else     500 internal, told to the log alone
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from cheeper_contracts.answers import RETRY_AFTER_SECONDS, STATUS_OF, Answer, Meta, Problem
from read_api.http.parameters import InvalidError
from read_api.http.replies import Send, message_id_of, reply
from read_api.query_bus.query import NotFoundError, StoreAwayError

log = structlog.get_logger()


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is told of a problem."""

    told: Problem
    headers: tuple[tuple[str, str], ...] = ()
    stale: bool = False

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return STATUS_OF[self.told.code]

    def answer(self, message_id: str) -> Answer[Problem]:
        """Its form."""
        return Answer(data=self.told, meta=Meta(message_id=message_id, stale=self.stale))


def refusal_of(error: Exception, message_id: str) -> Refusal:
    """The row of the table. What is not the client's fault is told to the log."""
    match error:
        case InvalidError():
            return Refusal(told=Problem(message="The request has wrong fields", code="invalid", fields=error.fields))
        case NotFoundError():
            return Refusal(told=Problem(message=str(error), code=error.code), stale=error.stale)
        case StoreAwayError():
            log.warning("store away", message_id=message_id, store=error.store, why=str(error))
            return Refusal(
                told=Problem(message="This cannot be answered at the moment", code="unavailable"),
                headers=(("retry-after", str(RETRY_AFTER_SECONDS)),),
            )
        case HTTPException() if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refusal(told=Problem(message="The request cannot be read", code="invalid"))
        case _:
            log.error("defect", message_id=message_id, exc_info=error)
            return Refusal(told=Problem(message="This failed through no fault of yours", code="internal"))


async def refuse(send: Send, refusal: Refusal, message_id: str) -> int:
    """Send a refusal; its status."""
    return await reply(send, refusal.status, refusal.answer(message_id), refusal.headers)


def _of_own_pages(request: Request[Any, Any, Any], error: Exception) -> Response[Answer[Problem]]:
    message_id = message_id_of(request.scope)
    refusal = refusal_of(error, message_id)
    return Response(refusal.answer(message_id), status_code=refusal.status, headers=dict(refusal.headers))


HANDLERS: ExceptionHandlersMap = {HTTPException: _of_own_pages, Exception: _of_own_pages}
"""For Litestar, which serves the process's own pages."""
