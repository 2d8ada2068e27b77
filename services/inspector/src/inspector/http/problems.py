"""From exception to response, in the form that all responses of Cheeper have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from cheeper_audit.stores import StoreUnavailableError
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
from cheeper_runtime.tokens.bearer import UnauthenticatedError
from cheeper_runtime.tokens.errors import KeysUnavailableError
from inspector.http.authorisation import NotAllowedError

AnyRequest = Request[Any, Any, Any]

_UNAVAILABLE: Final = 503
_RETRY: Final = {"Retry-After": str(RETRY_AFTER_SECONDS)}
_HTTP: Final = {
    400: ("invalid", "The request has wrong fields"),
    404: ("no_such_path", "There is no such path"),
    405: ("method_not_allowed", "The path does not take this method"),
}
_encoder: Final = msgspec.json.Encoder(enc_hook=str)
"""Writes what a store may hold and JSON has no form for, such as an id of MongoDB's own, as text."""

log = structlog.get_logger()


class RefusedError(Exception):
    """A request is refused with this status, code and sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class InvalidError(Exception):
    """A parameter is wrong: `field` has the name, the text is the end of a sentence."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def respond(
    request: AnyRequest,
    data: object,
    status: int = 200,
    headers: dict[str, str] | None = None,
    *,
    next_cursor: str | None = None,
) -> Response[bytes]:
    """Return a response with the id of its request, which the gateway gave it, and the cursor of the next page."""
    message_id = message_id_of(request)
    always = {MESSAGE_ID_HEADER: message_id, **dict((NO_STORE, NO_SNIFF))}
    body = _encoder.encode(Answer(data=data, meta=Meta(message_id=message_id, next_cursor=next_cursor)))
    return Response(body, status_code=status, headers={**always, **(headers or {})}, media_type="application/json")


def _problem(  # noqa: PLR0913, PLR0917 - the parts of a problem
    request: AnyRequest,
    status: int,
    code: str,
    message: str,
    headers: dict[str, str] | None = None,
    fields: Sequence[WrongField] = (),
) -> Response[bytes]:
    log.info("request refused", method=request.method, path=request.url.path[:LOGGED_CHARACTERS], code=code)
    return respond(request, Problem(message=message, code=code, fields=tuple(fields)), status, headers)


def message_id_of(request: AnyRequest) -> str:
    """Return the id of a request, a new one if the gateway gave it none."""
    try:
        return str(UUID(request.headers.get(MESSAGE_ID_HEADER, "")))
    except ValueError:
        return str(uuid4())


def _invalid(request: AnyRequest, error: InvalidError) -> Response[bytes]:
    wrong = WrongField(error.field, str(error))
    return _problem(request, 422, "invalid", "The request has wrong fields", fields=[wrong])


def _refused(request: AnyRequest, error: RefusedError) -> Response[bytes]:
    return _problem(request, error.status, error.code, str(error), _RETRY if error.status == _UNAVAILABLE else None)


def _store_unavailable(request: AnyRequest, error: StoreUnavailableError) -> Response[bytes]:
    return _problem(request, _UNAVAILABLE, "unavailable", str(error).removesuffix("."), _RETRY)


def _unauthenticated(request: AnyRequest, error: UnauthenticatedError) -> Response[bytes]:
    return _problem(request, 401, "unauthenticated", str(error), {"WWW-Authenticate": error.challenge})


def _not_allowed(request: AnyRequest, _: NotAllowedError) -> Response[bytes]:
    return _problem(request, 403, "not_allowed", "Only operators may use the inspector")


def _keys_unavailable(request: AnyRequest, _: KeysUnavailableError) -> Response[bytes]:
    return _problem(request, 503, "unavailable", "Tokens cannot be verified at the moment", _RETRY)


def _overloaded(request: AnyRequest, _: OverloadedError) -> Response[bytes]:
    return _problem(request, 503, "overloaded", "Too many traces are being made at the moment", _RETRY)


def _http(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    status = error.status_code if error.status_code in _HTTP else 500
    code, message = _HTTP.get(status, ("internal", "This failed through no fault of yours"))
    allow = (error.headers or {}).get("Allow")
    return _problem(request, status, code, message, {"Allow": allow} if allow else None)


def _defect(request: AnyRequest, error: Exception) -> Response[bytes]:
    log.error("defect", exc_info=error)
    return _problem(request, 500, "internal", "This failed through no fault of yours")


EXCEPTION_HANDLERS: Final[dict[type[Exception] | int, Callable[[AnyRequest, Any], Response[Any]]]] = {
    InvalidError: _invalid,
    RefusedError: _refused,
    StoreUnavailableError: _store_unavailable,
    UnauthenticatedError: _unauthenticated,
    NotAllowedError: _not_allowed,
    KeysUnavailableError: _keys_unavailable,
    OverloadedError: _overloaded,
    HTTPException: _http,
    Exception: _defect,
}
"""The one table."""
