"""What goes back to a client, from a struct straight to bytes; and ASGI's types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from cheeper_contracts.answers import MESSAGE_ID_HEADER, Answer

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

ID_HEADER: Final = MESSAGE_ID_HEADER.lower().encode()

_STATE: Final = "cheeper.message_id"
_JSON: Final = (b"content-type", b"application/json")
_encode: Final = msgspec.json.Encoder().encode


def put_message_id(scope: Scope, message_id: str) -> None:
    """Give a request its message id, for who knows only the request."""
    scope[_STATE] = message_id


def message_id_of(scope: Any) -> str:
    """The id of the query that a request asks."""
    return str(scope[_STATE])


async def reply(send: Send, status: int, answer: Answer[Any], headers: tuple[tuple[str, str], ...] = ()) -> int:
    """Send an answer with its message id and these headers beside it; its status, for the log."""
    body = _encode(answer)
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                _JSON,
                (b"content-length", b"%d" % len(body)),
                (ID_HEADER, answer.meta.message_id.encode()),
                *((name.encode(), value.encode()) for name, value in headers),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
    return status
