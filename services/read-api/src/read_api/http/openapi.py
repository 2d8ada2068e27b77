"""The route of a query in Litestar, with its description in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Example, Operation, SecurityScheme
from litestar.types import ASGIApp as LitestarASGIApp

from cheeper_contracts.actors import ANYONE, SENDER
from cheeper_contracts.http.documented import OPTIONAL_TOKEN, SCHEME, SCHEME_DESCRIPTION, by_status, error_example
from cheeper_contracts.http.responses import Answer, Problem
from cheeper_contracts.http.routes import OPENAPI
from read_api.http.endpoints import Endpoint, StreamedEndpoint
from read_api.http.parameters import Parameter
from read_api.http.responses import ASGIApp
from read_api.query_bus.query import Query

CONFIG: Final = OpenAPIConfig(
    title="Cheeper: the queries",
    version="1",
    path=OPENAPI,
    render_plugins=[JsonRenderPlugin(path="/")],
    components=Components(
        security_schemes={
            SCHEME: SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description=SCHEME_DESCRIPTION)
        }
    ),
)
"""The settings of the document."""
_ALWAYS: Final = ("invalid", "rate_limited", "internal", "unavailable", "overloaded")
"""The codes that any query may be refused with."""


def query_handler(endpoint: Endpoint, app: ASGIApp) -> HTTPRouteHandler:
    """Return Litestar's handler of an endpoint, which `app` serves."""

    async def serve() -> LitestarASGIApp:
        return app

    return get(
        endpoint.route.path.replace("}", ":str}"),
        name=endpoint.query.__name__,
        summary=_first_sentence(endpoint.query),
        operation_id=endpoint.query.__name__,
        tags=["queries"],
        operation_class=_operation(endpoint.parameters, endpoint.route.reader),
        responses=_responses(endpoint),
    )(serve)


def stream_handler(endpoint: StreamedEndpoint, app: ASGIApp) -> HTTPRouteHandler:
    """Return Litestar's handler of an endpoint that streams, which `app` serves."""

    async def serve() -> LitestarASGIApp:
        return app

    return get(
        endpoint.route.path.replace("}", ":str}"),
        name=endpoint.name,
        summary=endpoint.about,
        operation_id=endpoint.name,
        tags=["queries"],
        operation_class=_operation((*endpoint.parameters, endpoint.last_event_id), endpoint.route.reader),
        responses={
            200: ResponseSpec(str, description="The events", media_type="text/event-stream", generate_examples=False)
        }
        | _errors(codes_of(endpoint.query, endpoint.route.reader)),
    )(serve)


def codes_of(query: type[Query], reader: str | None) -> list[str]:
    """Return the codes of all errors that a query may end with; `reader` is the declaration of its route."""
    codes = [*_ALWAYS]
    if query.subject is not None:
        codes.append(query.subject.not_found)
    if reader != ANYONE:
        codes.append("unauthenticated")
    if reader not in {ANYONE, SENDER}:
        codes.append("not_allowed")
    return codes


def _first_sentence(query: type[Query]) -> str:
    return " ".join((query.__doc__ or "").split()).partition(". ")[0].rstrip(".") + "."


def _errors(codes: Iterable[str]) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(
            Answer[Problem],
            description=", ".join(names),
            generate_examples=False,
            examples=[Example(id=name, value=error_example(name)) for name in names],
        )
        for status, names in by_status(codes).items()
    }


def _responses(endpoint: Endpoint) -> dict[int, ResponseSpec]:
    data: Any = endpoint.data
    found = {200: ResponseSpec(Answer[data], description="The answer", generate_examples=False)}
    if not endpoint.private:
        found[304] = ResponseSpec(None, description="The client has the answer with this ETag", generate_examples=False)
    return found | _errors(codes_of(endpoint.query, endpoint.route.reader))


def _operation(parameters: tuple[Parameter, ...], reader: str | None) -> type[Operation]:
    """Return an operation that is documented by the table of parameters instead of by a handler's signature."""

    @dataclass
    class TableOperation(Operation):
        def __post_init__(self) -> None:
            self.security = None if reader == ANYONE else OPTIONAL_TOKEN
            self.parameters = [parameter.documented() for parameter in parameters]
            # Litestar adds its own error of a wrong parameter, which no request meets.
            self.responses = {
                status: response for status, response in (self.responses or {}).items() if status != "400"
            }

    return TableOperation
