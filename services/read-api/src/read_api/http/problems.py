"""The one table from an error to its response.

InvalidError             422 invalid, with all wrong fields
ForeignCursorError       422 invalid, with the cursor
NotFoundError            404 with its own code
UnauthenticatedError     401 unauthenticated, with WWW-Authenticate
RateLimitedError         429 rate_limited, with Retry-After
NotAllowedError          403 not_allowed
KeysUnavailableError     503 unavailable, with Retry-After
StoreUnavailableError    503 unavailable, with Retry-After
OverloadedError          503 overloaded, with Retry-After
TooCostlyError           503 overloaded, with Retry-After
HTTPException            422 invalid, if Litestar refuses a request for its own pages
any other error          500 internal; only the log has the error
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from cheeper_contracts.http.responses import RETRY_AFTER_SECONDS, STATUS_OF, Answer, Meta, Problem, WrongField
from cheeper_runtime.concurrency.limit import OverloadedError
from cheeper_runtime.rate_limits.policy import RateLimitedError
from cheeper_runtime.tokens.bearer import UnauthenticatedError
from cheeper_runtime.tokens.errors import KeysUnavailableError
from read_api.http.authorisation import NotAllowedError
from read_api.http.parameter_table import CURSOR
from read_api.http.parameters import InvalidError
from read_api.http.responses import ERROR, MESSAGE_ID, Scope, Send, send_response
from read_api.query_bus.query import ForeignCursorError, NotFoundError, StoreUnavailableError, TooCostlyError

_RETRY_LATER: Final = (("retry-after", str(RETRY_AFTER_SECONDS)),)


class ProblemResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The response to a request that failed."""

    problem: Problem
    headers: tuple[tuple[str, str], ...] = ()
    stale: bool = False

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS_OF[self.problem.code]

    def body(self, message_id: str) -> Answer[Problem]:
        """Return the body of the response."""
        return Answer(data=self.problem, meta=Meta(message_id=message_id, stale=self.stale))


def response_to(error: Exception) -> ProblemResponse:
    """Return the response to an error."""
    problem = _problem_of(error)
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(error, UnauthenticatedError):
        headers = (("www-authenticate", error.challenge),)
    elif isinstance(error, RateLimitedError):
        headers = (("retry-after", str(error.retry_after)),)
    elif STATUS_OF[problem.code] == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = _RETRY_LATER
    return ProblemResponse(
        problem=problem,
        headers=headers,
        stale=isinstance(error, NotFoundError) and error.stale,
    )


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, UnauthenticatedError | NotAllowedError | KeysUnavailableError):
        return _problem_of_caller(error)
    match error:
        case InvalidError():
            problem = _invalid(error.fields)
        case ForeignCursorError():
            problem = _invalid((WrongField(CURSOR.name, CURSOR.wrong),))
        case NotFoundError():
            problem = Problem(message=str(error), code=error.code)
        case StoreUnavailableError():
            problem = Problem(message="This cannot be answered at the moment", code="unavailable")
        case OverloadedError():
            problem = Problem(message="Too many requests are being served at the moment", code="overloaded")
        case RateLimitedError():
            problem = Problem(message="You have sent too many requests", code="rate_limited")
        case TooCostlyError():
            problem = Problem(message="This takes too long at the moment", code="overloaded")
        case HTTPException() if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            problem = Problem(message="The request cannot be read", code="invalid")
        case _:
            problem = Problem(message="This failed through no fault of yours", code="internal")
    return problem


def _problem_of_caller(error: UnauthenticatedError | NotAllowedError | KeysUnavailableError) -> Problem:
    match error:
        case UnauthenticatedError():
            return Problem(message=str(error), code="unauthenticated")
        case NotAllowedError():
            return Problem(message="The token is another author's, who may not read this", code="not_allowed")
        case KeysUnavailableError():
            return Problem(message="Tokens cannot be verified at the moment", code="unavailable")


def _invalid(fields: tuple[WrongField, ...]) -> Problem:
    return Problem(message="The request has wrong fields", code="invalid", fields=fields)


async def send_problem(scope: Scope, send: Send, response: ProblemResponse) -> None:
    """Send the response to a request that failed."""
    await send_response(scope, send, response.status, response.body(scope[MESSAGE_ID]), response.headers)


def _problem_page(request: Request[Any, Any, Any], error: Exception) -> Response[Answer[Problem]]:
    scope: Any = request.scope
    scope[ERROR] = error
    response = response_to(error)
    return Response(response.body(scope[MESSAGE_ID]), status_code=response.status, headers=dict(response.headers))


EXCEPTION_HANDLERS: ExceptionHandlersMap = {HTTPException: _problem_page, Exception: _problem_page}
"""The exception handlers of Litestar, for the process's own pages. A query's endpoint handles its errors itself."""
