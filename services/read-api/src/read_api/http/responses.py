"""Sends responses, from a struct straight to bytes; and the types of ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from cheeper_contracts.http.responses import MESSAGE_ID_HEADER, Answer
from read_api.http.caching import NOT_STORED, REVALIDATED, Header, etag_of, is_known

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

MESSAGE_ID: Final = "cheeper.message_id"
"""The key of a request's message id in its scope."""
AUTHENTICATION: Final = "cheeper.authentication"
"""The key of a request's Authentication in its scope. It is missing if the API is open."""
LIMITED: Final = "cheeper.limited"
"""The key of a request's LimitedRequest in its scope. It is missing if there are no rate limits."""
BEGAN: Final = "cheeper.began"
"""The key of the time at which a stream began, in its request's scope."""
STATUS: Final = "cheeper.status"
"""The key of the status that was sent, in the request's scope."""
AFTER: Final = "cheeper.after"
"""The key that is in the scope of a request with `after`."""
ERROR: Final = "cheeper.error"
"""The key of the error of a failed request in its scope, for its line in the log."""

ID_HEADER: Final = MESSAGE_ID_HEADER.lower().encode()
_JSON: Final = (b"content-type", b"application/json")
_NOT_MODIFIED: Final = 304
_encode: Final = msgspec.json.Encoder().encode


async def send_response(
    scope: Scope, send: Send, status: int, response: Answer[Any], headers: tuple[tuple[str, str], ...] = ()
) -> None:
    """Send a response that is not to be stored, with its message id and these headers."""
    more = [(name.encode(), value.encode()) for name, value in headers]
    await _send(scope, send, status, _encode(response), [*NOT_STORED, *more])


async def send_storable(scope: Scope, send: Send, status: int, response: Answer[Any]) -> None:
    """Send a response that may be stored, or 304 if the client has it already."""
    data = _encode(response.data)
    etag = etag_of(data, response.meta.next_cursor, response.meta.total)
    headers = [*REVALIDATED, (b"etag", etag)]
    if is_known(etag, scope["headers"]):
        await _send(scope, send, _NOT_MODIFIED, None, headers)
        return
    body = _encode(Answer(data=msgspec.Raw(data), meta=response.meta))
    await _send(scope, send, status, body, headers)


async def _send(scope: Scope, send: Send, status: int, body: bytes | None, headers: list[Header]) -> None:
    scope[STATUS] = status
    content = () if body is None else (_JSON, (b"content-length", b"%d" % len(body)))
    headers = [*content, (ID_HEADER, scope[MESSAGE_ID].encode()), *headers]
    if (limited := scope.get(LIMITED)) is not None:
        headers += limited.fields()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body or b"", "more_body": False})
