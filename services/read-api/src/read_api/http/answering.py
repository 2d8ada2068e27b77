"""How queries are answered: a row of the table from the request's path to the answer's bytes.

No framework is between: a query needs its route, which the entrance has found, its parameters, which the table reads,
and the bus. Litestar's way from route to bytes took 40 us more, a quarter of a page of a timeline.
"""

from __future__ import annotations

from typing import Final

from cheeper_contracts.answers import Answer, Meta
from read_api.http.client_gone import ClientGoneError, while_there
from read_api.http.endpoints import Endpoint
from read_api.http.parameters import read_parameters
from read_api.http.problems import refusal_of, refuse
from read_api.http.replies import Receive, Scope, Send, reply
from read_api.query_bus.bus import QueryBus

_OK: Final = 200
_CLIENT_CLOSED_REQUEST: Final = 499
"""For the log and the metrics alone: nobody is there to be answered."""


class Answering:
    """Answers the requests of one row."""

    def __init__(self, endpoint: Endpoint, bus: QueryBus) -> None:
        self.query = endpoint.query.__name__
        self._asked = endpoint.query
        self._allowed = {parameter.name: parameter for parameter in endpoint.parameters}
        self._bus = bus
        template = endpoint.route.path.split("/")
        self._places = tuple((at, part[1:-1]) for at, part in enumerate(template) if part.startswith("{"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send, message_id: str) -> int:
        """Answer a request for the row's route, problems included; its status."""
        try:
            parts = scope["path"].split("/")
            given = {name: parts[at] for at, name in self._places}
            query = self._asked(**read_parameters(self._allowed, given, scope["query_string"]))
            found = await self._bus.ask(query, while_there(receive))
        except ClientGoneError:
            return _CLIENT_CLOSED_REQUEST
        except Exception as error:  # noqa: BLE001 - the table of problems has a row for every error
            return await refuse(send, refusal_of(error, message_id), message_id)
        meta = Meta(message_id=message_id, next_cursor=found.next_cursor, stale=not found.settled)
        return await reply(send, _OK, Answer(data=found.data, meta=meta))
