"""From exception to response: the one table, and the form that all errors have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from litestar import Response
from litestar.exceptions import HTTPException

from cheeper_contracts.http import routes
from cheeper_contracts.http.responses import RETRY_AFTER_SECONDS, STATUS_OF, Answer, Meta, Problem, WrongField
from cheeper_runtime.concurrency.limit import OverloadedError
from cheeper_runtime.logs import LOGGED_CHARACTERS
from cheeper_runtime.rate_limits.policy import RateLimitedError
from cheeper_runtime.tokens.bearer import UnauthenticatedError
from cheeper_runtime.tokens.errors import KeysUnavailableError
from write_api.bus.authorisation import NotAllowedError
from write_api.bus.errors import CommandTooLargeError, UnavailableError
from write_api.domain.errors import Invalid, Refusal
from write_api.http.context import AnyRequest, context_of
from write_api.http.errors import ClientGoneError, MalformedJsonError, RefusedError, UnsupportedMediaTypeError
from write_api.http.forms import MAX_BODY_BYTES

log = structlog.get_logger()

ProblemResponse = Response[Answer[Problem]]

CLIENT_CLOSED_REQUEST: Final = 499
"""nginx's status for it. Nobody receives it."""


def problem(
    request: AnyRequest,
    code: str,
    message: str,
    *,
    fields: Sequence[WrongField] = (),
    headers: dict[str, str] | None = None,
) -> ProblemResponse:
    """Return the response of an error, with the status of its code."""
    log.info("request refused", method=request.method, path=request.url.path[:LOGGED_CHARACTERS], code=code)
    return Response(
        Answer(
            data=Problem(message=message, code=code, fields=tuple(fields)),
            meta=Meta(message_id=context_of(request.scope).message_id),
        ),
        status_code=STATUS_OF[code],
        headers=headers or {},
    )


def _invalid(request: AnyRequest, error: Invalid) -> ProblemResponse:
    return problem(request, error.code, error.message, fields=error.fields)


def _refusal(request: AnyRequest, error: Refusal | RefusedError) -> ProblemResponse:
    return problem(request, error.code, error.message)


def _malformed(request: AnyRequest, _: Exception) -> ProblemResponse:
    return problem(request, "malformed_json", "The body is not JSON")


def _media_type(request: AnyRequest, _: Exception) -> ProblemResponse:
    return problem(
        request,
        "unsupported_media_type",
        "The body must be declared as application/json, in UTF-8, without an encoding",
    )


def _too_large(request: AnyRequest, _: Exception) -> ProblemResponse:
    return problem(
        request,
        "body_too_large",
        f"The body has more than {MAX_BODY_BYTES} bytes",
        headers={"Connection": "close"},  # the rest of the body is not read
    )


def _no_such_path(request: AnyRequest, error: Exception) -> ProblemResponse:
    path = request.scope["path"]
    if routes.route_of(path) is not None:  # another service responds there
        return _no_such_method(request, error)
    return problem(request, "no_such_path", "There is nothing at this path")


def _no_such_method(request: AnyRequest, error: Exception) -> ProblemResponse:
    route = routes.route_of(request.scope["path"])
    own = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
    return problem(
        request,
        "method_not_allowed",
        f"{request.method} is not allowed at this path",
        headers={"Allow": route.allow if route else own},
    )


def _unavailable(request: AnyRequest, error: UnavailableError) -> ProblemResponse:
    log.warning("unavailable", reason=str(error))
    return problem(
        request,
        "unavailable",
        "The outcome is unknown; send the request again with this response's message id as its Idempotency-Key",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _unauthenticated(request: AnyRequest, error: UnauthenticatedError) -> ProblemResponse:
    return problem(request, "unauthenticated", str(error), headers={"WWW-Authenticate": error.challenge})


def _not_allowed(request: AnyRequest, _: NotAllowedError) -> ProblemResponse:
    return problem(request, "not_allowed", "The token is another author's, who may not do this")


def _keys_unavailable(request: AnyRequest, error: KeysUnavailableError) -> ProblemResponse:
    log.warning("unavailable", reason=str(error))
    return problem(
        request,
        "unavailable",
        "Tokens cannot be verified at the moment; nothing was done",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _overloaded(request: AnyRequest, _: OverloadedError) -> ProblemResponse:
    return problem(
        request,
        "overloaded",
        "Too many commands are being served at the moment; nothing was done",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _rate_limited(request: AnyRequest, error: RateLimitedError) -> ProblemResponse:
    return problem(
        request,
        "rate_limited",
        "You have sent too many requests; nothing was done",
        headers={"Retry-After": str(error.retry_after)},
    )


def _command_too_large(request: AnyRequest, error: CommandTooLargeError) -> ProblemResponse:
    # The client sent what it may send: whoever runs this must raise the topic's limit. Until then no repeat helps.
    log.error("a command is too large for its topic", reason=str(error))
    return problem(
        request,
        "internal",
        "By a fault on our side a command of this size cannot be taken: it was not accepted",
    )


def _client_gone(request: AnyRequest, _: Exception) -> Response[None]:
    log.info("client gone", method=request.method, path=request.url.path[:LOGGED_CHARACTERS])
    return Response(None, status_code=CLIENT_CLOSED_REQUEST)


def _defect(request: AnyRequest, error: Exception) -> ProblemResponse:
    log.error("defect", exc_info=error)
    return problem(request, "internal", "Something went wrong on our side")


EXCEPTION_HANDLERS: Final[dict[type[Exception] | int, Callable[[AnyRequest, Any], Response[Any]]]] = {
    404: _no_such_path,
    405: _no_such_method,
    413: _too_large,
    Invalid: _invalid,
    Refusal: _refusal,
    RefusedError: _refusal,
    MalformedJsonError: _malformed,
    UnsupportedMediaTypeError: _media_type,
    UnavailableError: _unavailable,
    OverloadedError: _overloaded,
    RateLimitedError: _rate_limited,
    UnauthenticatedError: _unauthenticated,
    NotAllowedError: _not_allowed,
    KeysUnavailableError: _keys_unavailable,
    CommandTooLargeError: _command_too_large,
    ClientGoneError: _client_gone,
    Exception: _defect,
}
"""The one table. The numbers are the statuses of Litestar's own errors."""
