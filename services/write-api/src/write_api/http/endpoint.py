"""How a function becomes the endpoint of a command: its route, its form, and what OpenAPI says of both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import msgspec
from litestar import Response
from litestar.di import Provide
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, Parameter, RequestBody, Schema

from cheeper_contracts.answers import IDEMPOTENCY_KEY_HEADER, Answer
from cheeper_contracts.routes import Route
from write_api.http import problems
from write_api.http.context import AnyRequest
from write_api.http.forms import Form, Places, places_of, read

Method = Literal["POST", "PUT", "PATCH", "DELETE"]
Take = Callable[..., Awaitable[Response[Any]]]

_IDEMPOTENCY_KEY: Final = Parameter(
    name=IDEMPOTENCY_KEY_HEADER,
    param_in="header",
    description="A UUID that becomes the message id: the same request with it has one effect and one answer",
    schema=cast("Schema", {"type": "string", "format": "uuid"}),
)


def endpoint(method: Method, route: Route, form_type: type[Form], data: type[msgspec.Struct]) -> Callable[[Take], Any]:
    """Make a function the endpoint of a method at a route. It gets the `form` that the request filled in, and answers
    with `data`.
    """
    places = places_of(form_type, method, route)

    async def form_of(request: AnyRequest) -> Form:
        return await read(request, form_type, places)

    return HTTPRouteHandler(
        route.path.replace("}", ":str}"),
        http_method=HttpMethod(method),
        status_code=status_of_done(method),
        dependencies={"form": Provide(form_of)},
        operation_class=_operation(form_type, places),
        response_description="It was done" if method == "POST" else "It was done, or was so already",
        responses=_answers(data, method),
    )


def status_of_done(method: str) -> int:
    """201 where a command makes something, as those do that are posted, and 200 for all others."""
    return 201 if method == "POST" else 200


def _answers(data: Any, method: Method) -> dict[int, ResponseSpec]:
    """All answers of a command but its first."""
    others = {202: "Accepted; it will be handled"} | ({200: "It was so already"} if method == "POST" else {})
    found = {
        status: ResponseSpec(Answer[data], description=text, generate_examples=False) for status, text in others.items()
    }
    return found | problems.documented()


def _operation(form_type: type[Form], places: Places) -> type[Operation]:
    """An operation that the form documents, since no signature names its fields."""
    (_,), components = msgspec.json.schema_components([form_type])
    schema = components[form_type.__name__]

    @dataclass
    class FormOperation(Operation):
        def __post_init__(self) -> None:
            self.parameters = [
                _IDEMPOTENCY_KEY,
                *(_parameter(name, "path", schema) for name in places.path),
                *(_parameter(name, "query", schema) for name in places.query),
            ]
            if places.body is not None:
                self.request_body = _request_body(schema, places.body)

    return FormOperation


def _parameter(name: str, place: Literal["path", "query"], schema: Mapping[str, Any]) -> Parameter:
    described = schema["properties"][name]
    return Parameter(name=name, param_in=place, required=name in schema["required"], schema=cast("Schema", described))


def _request_body(schema: Mapping[str, Any], fields: Mapping[str, object]) -> RequestBody:
    own = {
        **schema,
        "properties": {name: schema["properties"][name] for name in fields},
        "required": [name for name in schema["required"] if name in fields],
    }
    return RequestBody(required=True, content={"application/json": OpenAPIMediaType(schema=cast("Schema", own))})
