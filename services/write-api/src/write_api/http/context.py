"""The context of a request: its message id, which is in the response's header and in the log lines, and its trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from cheeper_contracts.http.responses import IDEMPOTENCY_KEY_HEADER, MESSAGE_ID_HEADER, NO_SNIFF, NO_STORE, WrongField
from cheeper_runtime.rate_limits.limits import LimitedRequest, RateLimits
from cheeper_runtime.tokens.bearer import Authentication, authenticate
from cheeper_runtime.tokens.verifier import Verifier
from cheeper_runtime.traces.traceparent import HEADER, is_traceparent
from write_api.bus.ids import new_id
from write_api.domain.values import identifier

_ON_ALL: Final = [(name.lower().encode(), value.encode()) for name, value in (NO_SNIFF, NO_STORE)]
"""The headers of every response: what a command did concerns its client alone."""
_STATE: Final = "request_context"
_KEY_HEADER: Final = IDEMPOTENCY_KEY_HEADER.lower().encode()
_NIL: Final = str(UUID(int=0))

AnyRequest = Request[Any, Any, Any]


class RequestContext(msgspec.Struct, frozen=True, kw_only=True):
    """The context of a request, `repeatable` if the client chose the message id, with its `wrong` headers.

    `authentication` is None if the API is open. `caller` is the id of the author whose token came with it. `limited` is
    None if there are no rate limits.
    """

    message_id: str
    repeatable: bool
    traceparent: str | None
    wrong: tuple[WrongField, ...] = ()
    authentication: Authentication | None = None
    limited: LimitedRequest | None = None

    @property
    def caller(self) -> str | None:
        """The caller, None if there is none or the API is open."""
        return None if self.authentication is None else self.authentication.caller

    def required_caller(self) -> str | None:
        """Return the caller, None if the API is open. Raise UnauthenticatedError or KeysUnavailableError."""
        return None if self.authentication is None else self.authentication.required()


def context_of(scope: Scope) -> RequestContext:
    """Return the context that the middleware gave a request."""
    context: RequestContext = scope["state"][_STATE]
    return context


class ContextMiddleware:
    """Gives each request its context. It is the outermost layer, so every response has its message id. Without a
    `verifier`, the API is open; without `rate_limits`, it has none.
    """

    def __init__(self, app: ASGIApp, verifier: Verifier | None = None, rate_limits: RateLimits | None = None) -> None:
        self._app = app
        self._verifier = verifier
        self._rate_limits = rate_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as ASGI prescribes."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = list(scope["headers"])
        context = _context_from(headers)
        if self._verifier is not None:
            authentication = await authenticate(self._verifier, headers)
            context = msgspec.structs.replace(context, authentication=authentication)
        if self._rate_limits is not None:
            client = scope.get("client")
            limited = LimitedRequest(self._rate_limits, context.caller, client and client[0], headers)
            context = msgspec.structs.replace(context, limited=limited)
        state: dict[str, Any] = scope.setdefault("state", {})
        state[_STATE] = context
        header = (MESSAGE_ID_HEADER.lower().encode(), context.message_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                limits = () if context.limited is None else context.limited.fields()
                message["headers"] = [*message["headers"], header, *_ON_ALL, *limits]
            await send(message)

        with structlog.contextvars.bound_contextvars(message_id=context.message_id, correlation_id=context.message_id):
            await self._app(scope, receive, send_with_id)


def _context_from(pairs: Sequence[tuple[bytes, bytes]]) -> RequestContext:
    headers = dict(pairs)
    chosen, wrong = _chosen([value for name, value in pairs if name == _KEY_HEADER])
    given = chosen or _identifier(headers.get(MESSAGE_ID_HEADER.lower().encode()))
    traceparent = headers.get(HEADER, b"").decode("latin-1")
    return RequestContext(
        message_id=given or new_id(),
        repeatable=chosen is not None,
        traceparent=traceparent if is_traceparent(traceparent) else None,
        wrong=wrong,
    )


def _chosen(keys: Sequence[bytes]) -> tuple[str | None, tuple[WrongField, ...]]:
    """Return the client's message id, or what is wrong with its headers. Two keys are refused even if they are equal: a
    proxy between them could have read either. The nil UUID is what a program sends that forgot to make a key, so it
    would be the key of many.
    """
    if not keys:
        return None, ()
    if len(keys) > 1:
        return None, (WrongField(IDEMPOTENCY_KEY_HEADER, "must be given at most once"),)
    chosen = _identifier(keys[0])
    if chosen is None or chosen == _NIL:
        return None, (WrongField(IDEMPOTENCY_KEY_HEADER, "must be a UUID, and not the nil UUID"),)
    return chosen, ()


def _identifier(value: bytes | None) -> str | None:
    try:
        return None if value is None else identifier(value.decode("latin-1"))
    except ValueError:
        return None
