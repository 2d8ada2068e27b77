"""From exception to response, in the form that all responses of Cheeper have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from cheeper_contracts.http.responses import (
    MESSAGE_ID_HEADER,
    NO_SNIFF,
    NO_STORE,
    RETRY_AFTER_SECONDS,
    Answer,
    Meta,
    Problem,
    WrongField,
)
from cheeper_runtime.concurrency.limit import OverloadedError
from cheeper_runtime.logs import LOGGED_CHARACTERS
from identity.domain.errors import InvalidError, TooManyAttemptsError, WrongCredentialsError
from identity.domain.store import StoreUnavailableError
from identity.external.sign_in import ProviderUnavailableError

AnyRequest = Request[Any, Any, Any]

_RETRY: Final = {"Retry-After": str(RETRY_AFTER_SECONDS)}

log = structlog.get_logger()


def respond(
    request: AnyRequest, data: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response[Any]:
    """Return a response with the id of its request, which the gateway gave it."""
    message_id = _message_id(request)
    always = {MESSAGE_ID_HEADER: message_id, **dict((NO_STORE, NO_SNIFF))}
    answer = Answer(data=data, meta=Meta(message_id=message_id))
    return Response(answer, status_code=status, headers={**always, **(headers or {})})


def problem(  # noqa: PLR0913 - the parts of a problem
    request: AnyRequest,
    status: int,
    code: str,
    message: str,
    *,
    fields: Sequence[WrongField] = (),
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    """Return the response of an error. The log has nothing that the client sent but the path."""
    log.info("request refused", method=request.method, path=request.url.path[:LOGGED_CHARACTERS], code=code)
    return respond(request, Problem(message=message, code=code, fields=tuple(fields)), status, headers)


def _message_id(request: AnyRequest) -> str:
    try:
        return str(UUID(request.headers.get(MESSAGE_ID_HEADER, "")))
    except ValueError:
        return str(uuid4())


def _invalid(request: AnyRequest, error: InvalidError) -> Response[Any]:
    return problem(request, 422, error.code, error.message, fields=[WrongField(error.field, error.reason)])


def _wrong_credentials(request: AnyRequest, error: WrongCredentialsError) -> Response[Any]:
    return problem(request, 401, error.code, error.message)


def _too_many(request: AnyRequest, error: TooManyAttemptsError) -> Response[Any]:
    return problem(request, 429, error.code, error.message, headers={"Retry-After": str(error.seconds)})


def _overloaded(request: AnyRequest, _: OverloadedError) -> Response[Any]:
    return problem(request, 503, "overloaded", "Too many sign-ins are under way at the moment", headers=_RETRY)


def _unavailable(request: AnyRequest, error: Exception) -> Response[Any]:
    log.warning("unavailable", reason=type(error).__name__)
    return problem(request, 503, "unavailable", "The service is unavailable for a moment", headers=_RETRY)


def _provider_unavailable(request: AnyRequest, _: ProviderUnavailableError) -> Response[Any]:
    return problem(
        request, 503, "unavailable", "The sign-in by this provider is unavailable for a moment", headers=_RETRY
    )


def _http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    code, message = _HTTP.get(error.status_code, ("internal", "Something went wrong on our side"))
    allow = (error.headers or {}).get("Allow")
    status = error.status_code if error.status_code in _HTTP else 500
    return problem(request, status, code, message, headers={"Allow": allow} if allow else None)


def _defect(request: AnyRequest, error: Exception) -> Response[Any]:
    # Neither its text nor local variables: they might have a password.
    log.error("defect", error=type(error).__name__, where=_where(error))
    return problem(request, 500, "internal", "Something went wrong on our side")


def _where(error: Exception) -> list[str]:
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-8:]


_HTTP: Final = {
    400: ("malformed_json", "The body is not JSON"),
    404: ("no_such_path", "There is nothing at this path"),
    405: ("method_not_allowed", "The method is not allowed at this path"),
    413: ("body_too_large", "The body is too large"),
    415: ("unsupported_media_type", "The body must be declared as application/json"),
}

EXCEPTION_HANDLERS: Final[dict[type[Exception] | int, Callable[[AnyRequest, Any], Response[Any]]]] = {
    InvalidError: _invalid,
    WrongCredentialsError: _wrong_credentials,
    TooManyAttemptsError: _too_many,
    OverloadedError: _overloaded,
    StoreUnavailableError: _unavailable,
    ProviderUnavailableError: _provider_unavailable,
    OSError: _unavailable,
    HTTPException: _http,
    Exception: _defect,
}
"""The one table."""
