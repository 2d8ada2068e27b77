"""Sends responses, from a struct straight to bytes; and the types of ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from cheeper_contracts.http.responses import MESSAGE_ID_HEADER, Answer

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

MESSAGE_ID: Final = "cheeper.message_id"
"""The key of a request's message id in its scope."""
STATUS: Final = "cheeper.status"
"""The key of the status that was sent, in the request's scope."""
ERROR: Final = "cheeper.error"
"""The key of the error of a failed request in its scope, for its line in the log."""

ID_HEADER: Final = MESSAGE_ID_HEADER.lower().encode()
_JSON: Final = (b"content-type", b"application/json")
_encode: Final = msgspec.json.Encoder().encode


async def send_response(
    scope: Scope, send: Send, status: int, response: Answer[Any], headers: tuple[tuple[str, str], ...] = ()
) -> None:
    """Send a response with its message id and these headers."""
    scope[STATUS] = status
    body = _encode(response)
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                _JSON,
                (b"content-length", b"%d" % len(body)),
                (ID_HEADER, response.meta.message_id.encode()),
                *((name.encode(), value.encode()) for name, value in headers),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
