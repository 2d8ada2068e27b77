"""Serves one row of the table of endpoints, from a request's path and parameters to the bytes of its response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from cheeper_contracts.http.responses import Answer, Meta
from read_api.http.authorisation import required_sender
from read_api.http.endpoints import Endpoint
from read_api.http.parameters import read_parameters
from read_api.http.problems import response_to, send_problem
from read_api.http.responses import (
    AFTER,
    AUTHENTICATION,
    ERROR,
    LIMITED,
    MESSAGE_ID,
    Receive,
    Scope,
    Send,
    send_response,
    send_storable,
)
from read_api.query_bus.bus import QueryBus, WhileConnected

_OK: Final = 200


class ClientDisconnectedError(Exception):
    """The client closed its connection before the response was ready."""


class QueryEndpoint:
    """An ASGI application for the requests of one endpoint. It responds to errors too, except for
    ClientDisconnectedError, which it raises.
    """

    def __init__(self, endpoint: Endpoint, bus: QueryBus) -> None:
        self.query_name = endpoint.query.__name__
        self._query = endpoint.query
        self._parameters = {parameter.name: parameter for parameter in endpoint.parameters}
        self._public = not endpoint.private
        self._reader = endpoint.route.reader
        self._cost, self._refund = endpoint.route.query_cost, endpoint.route.refund
        self._bus = bus
        parts = enumerate(endpoint.route.path.split("/"))
        self._path_parameters = tuple((index, part[1:-1]) for index, part in parts if part.startswith("{"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request whose path has the form of the endpoint's route."""
        limited = scope.get(LIMITED)
        try:
            if limited is not None and not limited.take_now(self._cost):
                await limited.take(self._cost)
            parts = scope["path"].split("/")
            in_path = {name: parts[index] for index, name in self._path_parameters}
            authentication = scope.get(AUTHENTICATION)
            sender = authentication and required_sender(self._reader, in_path, authentication)
            given = read_parameters(self._parameters, in_path, scope["query_string"])
            query = self._query(**given, sender=sender)
            if query.after is not None:
                scope[AFTER] = True
            result = await self._bus.handle(query, while_connected(receive))
            if limited is not None and self._refund and not result.costly:
                limited.refund(self._refund)
        except ClientDisconnectedError:
            raise
        except Exception as error:  # noqa: BLE001 - the table of problems has a row for every error
            scope[ERROR] = error
            await send_problem(scope, send, response_to(error))
            return
        meta = Meta(
            message_id=scope[MESSAGE_ID],
            next_cursor=result.next_cursor,
            total=result.total,
            unread=result.unread,
            stale=not result.settled,
            total_is_capped=result.total_is_capped,
        )
        may_be_stored = self._public and query.after is None and result.settled
        respond = send_storable if may_be_stored else send_response
        await respond(scope, send, _OK, Answer(data=result.data, meta=meta))


def while_connected(receive: Receive) -> WhileConnected:
    """Return a function that awaits something and returns its result. Once the client disconnects, the function cancels
    it, and raises ClientDisconnectedError when it has ended.
    """

    async def wait(awaited: Awaitable[Any]) -> Any:
        waiting = asyncio.ensure_future(awaited)
        leaving = asyncio.create_task(_until_disconnected(receive))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise ClientDisconnectedError
            return await waiting
        finally:
            waiting.cancel()
            leaving.cancel()
            await asyncio.gather(waiting, leaving, return_exceptions=True)

    return wait


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
