"""The application of operations: what operators request, the trail, health and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from litestar import Litestar, Response, route
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry

from cheeper_contracts.http import inspector as routes
from cheeper_contracts.http.responses import IDEMPOTENCY_KEY_HEADER
from cheeper_contracts.http.routes import Route
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.tokens.verifier import Verifier
from inspector.http.app import OpenReaders, failed_of, process_handlers, typed
from inspector.http.authorisation import require
from inspector.http.problems import (
    EXCEPTION_HANDLERS,
    AnyRequest,
    InvalidError,
    RefusedError,
    message_id_of,
    respond,
)
from inspector.operations.entries import BusyError, KeyTakenError
from inspector.operations.generations import ReadGenerations
from inspector.operations.requests import AnyRequest as AnyAction
from inspector.operations.requests import Reason
from inspector.operations.runner import Operations

T = TypeVar("T")

Handle = Callable[[AnyRequest, str | None], Awaitable[Response[Any]]]
"""Responds to a request of a caller, who may send it."""

_ENTRIES: Final = 20
_MOST: Final = 100
_ACCEPTED: Final = 202


class _Reveal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class _Page(msgspec.Struct, frozen=True):
    """The parameters of the list of actions."""

    cursor: Annotated[int, msgspec.Meta(ge=1)] | None = None
    size: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] = _ENTRIES


def create_operations_app(  # noqa: PLR0913 - the parts of an application
    operations: Operations,
    open_readers: OpenReaders,
    generations: ReadGenerations,
    limit: ConcurrencyLimit,
    *,
    verifier: Verifier | None,
    registry: CollectorRegistry,
) -> Litestar:
    """Return the application. `limit` bounds what is read at once. Without a verifier, the API is open."""

    async def start(request: AnyRequest, caller: str | None) -> Response[Any]:
        wanted: AnyAction = await _body(request, AnyAction)
        entry = await _named(operations.start(wanted, caller, _key(request)))
        return respond(request, entry, _ACCEPTED, {"Location": f"/operations/{entry.action_id}"})

    async def listed(request: AnyRequest, _: str | None) -> Response[Any]:
        page = _converted(dict(request.query_params), _Page)
        entries = await operations.before(page.cursor, page.size)
        more = len(entries) == page.size
        return respond(request, {"actions": entries}, next_cursor=str(entries[-1].number) if more else None)

    async def one(request: AnyRequest, _: str | None) -> Response[Any]:
        action_id = _uuid(request.path_params["action_id"])
        entry = None if action_id is None else await operations.one(action_id)
        if entry is None:
            raise RefusedError(404, "action_not_found", "There is no such action")
        return respond(request, entry)

    async def reveal(request: AnyRequest, caller: str | None) -> Response[Any]:
        wanted: _Reveal = await _body(request, _Reveal)
        await _named(operations.reveal(wanted.reason, caller, _key(request)))

        def read() -> Any:
            with open_readers() as readers:
                return failed_of(readers, reveal=True)

        return respond(request, await limit.run(asyncio.to_thread, read))

    async def of_generations(request: AnyRequest, _: str | None) -> Response[Any]:
        return respond(request, {"generations": await limit.run(generations)})

    table: tuple[tuple[Route, str, Handle], ...] = (
        (routes.ACTIONS, "POST", start),
        (routes.ACTIONS, "GET", listed),
        (routes.REVEALED, "POST", reveal),
        (routes.GENERATIONS, "GET", of_generations),
        (routes.ACTION, "GET", one),
    )
    return Litestar(
        [*(_handler(*row, verifier) for row in table), *process_handlers(registry)],
        exception_handlers={**EXCEPTION_HANDLERS},
        openapi_config=None,
        logging_config=None,
    )


def _handler(declared: Route, method: Any, handle: Handle, verifier: Verifier | None) -> HTTPRouteHandler:
    @route(typed(declared), http_method=[method])
    async def handler(request: AnyRequest) -> Response[Any]:
        return await handle(request, await require(declared, verifier, request.scope["headers"]))

    return handler


async def _body(request: AnyRequest, type_: Any) -> Any:
    """Return the body. A page of another site may send one that is declared as text without asking: it is refused."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "unsupported_media_type", "The body must be declared as application/json")
    try:
        content = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RefusedError(400, "malformed_json", "The body is not JSON") from None
    return _converted(content, type_, strict=True)


def _converted(content: object, type_: Any, *, strict: bool = False) -> Any:
    """Return what a caller sent as that type. Raise InvalidError."""
    try:
        return msgspec.convert(content, type_, strict=strict)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidError(path.strip(".`[]") or "body", reason) from None


async def _named(started: Awaitable[T]) -> T:
    """Return the result, or refuse what another action prevents."""
    try:
        return await started
    except KeyTakenError:
        raise RefusedError(409, "message_id_reused", "Another request had this Idempotency-Key") from None
    except BusyError:
        raise RefusedError(409, "busy", "Another action runs; there is one at a time") from None


def _key(request: AnyRequest) -> str:
    """Return the id of the action: the caller's key, or else the request's own id. Raise InvalidError."""
    given = request.headers.get(IDEMPOTENCY_KEY_HEADER)
    if given is None:
        return message_id_of(request)
    key = _uuid(given)
    if key is None:
        raise InvalidError(IDEMPOTENCY_KEY_HEADER, "must be a UUID")
    return key


def _uuid(text: str) -> str | None:
    """Return the id in lower case, or None if it is none in its usual form."""
    try:
        found = str(UUID(text))
    except ValueError:
        return None
    return found if found == text.lower() else None
