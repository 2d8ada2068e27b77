"""Serves the stream of a list as Server-Sent Events, in Litestar's form of a message."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Final

from litestar.response.sse import ServerSentEventMessage

from cheeper_contracts.http.responses import WrongField
from cheeper_runtime.tokens.bearer import authenticate
from cheeper_runtime.tokens.verifier import Verifier
from read_api.http.authorisation import required_sender
from read_api.http.caching import NOT_STORED
from read_api.http.endpoints import StreamedEndpoint
from read_api.http.parameters import InvalidError, Parameter, read_parameters
from read_api.http.problems import response_to, send_problem
from read_api.http.query_endpoint import ClientDisconnectedError, while_connected
from read_api.http.responses import (
    AUTHENTICATION,
    BEGAN,
    ERROR,
    ID_HEADER,
    LIMITED,
    MESSAGE_ID,
    STATUS,
    Receive,
    Scope,
    Send,
)
from read_api.streams.stream import KEEP_ALIVE_SECONDS, Stream
from read_api.streams.streams import Streams
from read_api.streams.window import StreamEvent, position_of

STREAM_SECONDS: Final = 3_600.0
"""The longest time of a stream. Its client resumes it, maybe at another replica."""
RETRY_MILLISECONDS: Final = (500, 2_000)
"""The bounds of the pause before a client connects again. Each is given another one, so that not all come at once."""
_SEPARATOR: Final = "\n"
_KEEP_ALIVE: Final = b": keep-alive\n\n"
_HEADERS: Final = ((b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no"), *NOT_STORED)


class StreamEndpoint:
    """An ASGI application for the streams of one endpoint."""

    def __init__(self, endpoint: StreamedEndpoint, streams: Streams, verifier: Verifier | None) -> None:
        self.query_name = endpoint.name
        self._endpoint = endpoint
        self._parameters = {parameter.name: parameter for parameter in endpoint.parameters}
        self._streams = streams
        self._verifier = verifier
        parts = enumerate(endpoint.route.path.split("/"))
        self._path_parameters = tuple((index, part[1:-1]) for index, part in parts if part.startswith("{"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request with a stream, until the client disconnects or the stream ends."""

        async def serve(stream: Stream) -> None:
            await self._begin(scope, send)
            if scope["method"] != "HEAD":
                await self._send_events(scope, send, stream)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        try:
            if (limited := scope.get(LIMITED)) is not None:
                await limited.take(self._endpoint.route.query_cost)
            parts = scope["path"].split("/")
            in_path = {name: parts[index] for index, name in self._path_parameters}
            authentication = scope.get(AUTHENTICATION)
            if authentication is not None:
                required_sender(self._endpoint.route.reader, in_path, authentication)
            given = read_parameters(self._parameters, in_path, scope["query_string"])
            last = _last_event_id(scope["headers"], self._endpoint.last_event_id)
            cursor = given.pop("cursor", None)
            query = self._endpoint.query(**given)
            position = position_of(query, last or cursor)
            await while_connected(receive)(self._streams.run(query, position, serve))
        except ClientDisconnectedError:
            if STATUS not in scope:
                raise
        except Exception as error:
            if STATUS in scope:
                raise
            scope[ERROR] = error
            await send_problem(scope, send, response_to(error))

    async def _begin(self, scope: Scope, send: Send) -> None:
        scope[STATUS], scope[BEGAN] = 200, time.perf_counter()
        headers = [*_HEADERS, (ID_HEADER, scope[MESSAGE_ID].encode())]
        if (limited := scope.get(LIMITED)) is not None:
            headers += limited.fields()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        retry = b"retry: %d\n\n" % random.randint(*RETRY_MILLISECONDS)  # noqa: S311 - it spreads, and hides nothing
        await send({"type": "http.response.body", "body": retry, "more_body": True})

    async def _send_events(self, scope: Scope, send: Send, stream: Stream) -> None:
        clock = time.monotonic
        until, check_at = clock() + STREAM_SECONDS, clock() + KEEP_ALIVE_SECONDS
        async for events in stream.events():
            if clock() >= until or (clock() >= check_at and not await self._is_still_allowed(scope)):
                stream.end("expired")
                return
            if clock() >= check_at:
                check_at = clock() + KEEP_ALIVE_SECONDS
            await send({"type": "http.response.body", "body": _encoded(events) or _KEEP_ALIVE, "more_body": True})

    async def _is_still_allowed(self, scope: Scope) -> bool:
        """Return False once the token of the request has expired, or its key was withdrawn."""
        if self._verifier is None:
            return True
        return (await authenticate(self._verifier, scope["headers"])).caller is not None


def _last_event_id(headers: Sequence[tuple[bytes, bytes]], parameter: Parameter) -> str | None:
    """Return the id of the last event that the client has received, if any. Raise InvalidError."""
    name = parameter.name.lower().encode()
    given = [value.decode("latin-1") for header, value in headers if header == name and value]
    try:
        return str(parameter.value_of(given[0])) if given else None
    except ValueError:
        raise InvalidError([WrongField(parameter.name, parameter.wrong)]) from None


def _encoded(events: Sequence[StreamEvent]) -> bytes:
    return b"".join(
        ServerSentEventMessage(event.data.decode(), event.name, event.id, sep=_SEPARATOR).encode() for event in events
    )
