"""The route of a query in Litestar, with its description in the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Operation
from litestar.types import ASGIApp as LitestarASGIApp

from cheeper_contracts.http.responses import Answer, Problem
from read_api.http.endpoints import Endpoint
from read_api.http.parameters import Parameter
from read_api.http.responses import ASGIApp

PROBLEMS: Final = {
    401: "unauthenticated, with WWW-Authenticate",
    403: "not_allowed",
    404: "no_such_path, or there is nothing of that id",
    405: "method_not_allowed, with Allow",
    422: "invalid, with all wrong fields",
    500: "internal: a defect",
    503: "unavailable or overloaded, with Retry-After",
}


def query_handler(endpoint: Endpoint, app: ASGIApp) -> HTTPRouteHandler:
    """Return Litestar's handler of an endpoint, which `app` serves."""

    async def serve() -> LitestarASGIApp:
        return app

    return get(
        endpoint.route.path.replace("}", ":str}"),
        name=endpoint.query.__name__,
        summary=(endpoint.query.__doc__ or "").partition("\n")[0],
        operation_id=endpoint.query.__name__,
        operation_class=_operation(endpoint.parameters),
        responses=_responses(endpoint),
    )(serve)


def _responses(endpoint: Endpoint) -> dict[int, ResponseSpec]:
    data: Any = endpoint.data
    problems = {
        status: ResponseSpec(Answer[Problem], description=text, generate_examples=False)
        for status, text in PROBLEMS.items()
    }
    found = {200: ResponseSpec(Answer[data], description="The answer", generate_examples=False)}
    if not endpoint.private:
        found[304] = ResponseSpec(None, description="The client has the answer with this ETag", generate_examples=False)
    return found | problems


def _operation(parameters: tuple[Parameter, ...]) -> type[Operation]:
    """Return an operation that is documented by the table of parameters instead of by a handler's signature."""

    @dataclass
    class TableOperation(Operation):
        def __post_init__(self) -> None:
            self.parameters = [parameter.documented() for parameter in parameters]
            self.responses = {
                status: response for status, response in (self.responses or {}).items() if status != "400"
            }

    return TableOperation
