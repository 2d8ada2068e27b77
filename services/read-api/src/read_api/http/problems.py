"""How queries fail: one table from an error to its answer.

InvalidError      422 invalid, with all wrong fields
NotFoundError     404 with its own code
StoreAwayError    503 unavailable, with Retry-After
ClientGoneError   nobody reads the answer
anything else     500 internal, told to the log alone
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from cheeper_contracts.answers import RETRY_AFTER_SECONDS, STATUS_OF, Answer, Meta, Problem
from read_api.http.client_gone import ClientGoneError
from read_api.http.entrance import message_id_of
from read_api.http.parameters import InvalidError
from read_api.queries.asking import NotFoundError, StoreAwayError

AnyRequest = Request[Any, Any, Any]
ProblemResponse = Response[Answer[Problem]]

log = structlog.get_logger()

CLIENT_CLOSED_REQUEST = 499


def problem(
    request: AnyRequest, told: Problem, headers: dict[str, str] | None = None, *, stale: bool = False
) -> ProblemResponse:
    """The answer that tells of a problem."""
    return Response(
        Answer(data=told, meta=Meta(message_id=message_id_of(request.scope), stale=stale)),
        status_code=STATUS_OF[told.code],
        headers=headers,
    )


def invalid(request: AnyRequest, error: InvalidError) -> ProblemResponse:
    """422, with all wrong fields."""
    return problem(request, Problem(message="The request has wrong fields", code="invalid", fields=error.fields))


def not_found(request: AnyRequest, error: NotFoundError) -> ProblemResponse:
    """404."""
    return problem(request, Problem(message=str(error), code=error.code), stale=error.stale)


def unavailable(request: AnyRequest, error: StoreAwayError) -> ProblemResponse:
    """503: the client may come again soon."""
    log.warning("store away", message_id=message_id_of(request.scope), store=error.store, why=str(error))
    return problem(
        request,
        Problem(message="This cannot be answered at the moment", code="unavailable"),
        {"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def client_gone(_request: AnyRequest, _error: ClientGoneError) -> Response[None]:
    """For the log line alone."""
    return Response(None, status_code=CLIENT_CLOSED_REQUEST)


def http_error(request: AnyRequest, error: HTTPException) -> ProblemResponse:
    """What Litestar itself refuses; paths and methods never come that far."""
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return internal(request, error)
    return problem(request, Problem(message="The request cannot be read", code="invalid"))


def internal(request: AnyRequest, error: Exception) -> ProblemResponse:
    """500: a defect."""
    log.error("defect", message_id=message_id_of(request.scope), exc_info=error)
    return problem(request, Problem(message="This failed through no fault of yours", code="internal"))


HANDLERS: ExceptionHandlersMap = {
    InvalidError: invalid,
    NotFoundError: not_found,
    StoreAwayError: unavailable,
    ClientGoneError: client_gone,
    HTTPException: http_error,
    Exception: internal,
}
