"""The documentation of a command's endpoint in OpenAPI, from the command and its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import msgspec
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, Parameter, RequestBody, Schema

from cheeper_contracts.http.responses import IDEMPOTENCY_KEY_HEADER, Answer
from cheeper_contracts.messages import Command
from write_api.domain import values
from write_api.domain.rules import Rule
from write_api.http import problems
from write_api.http.forms import Field, Form, Method

_PLAIN: Final = {"pattern": r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$"}
_SCHEMAS: Final[dict[Rule[..., str], dict[str, Any]]] = {
    values.identifier: {"format": "uuid"},
    values.username: {"pattern": values.USERNAME_PATTERN},
    values.email: {"format": "email", "maxLength": values.EMAIL_LENGTH},
    values.name: {
        **_PLAIN,
        "description": f"1 to {values.NAME_LENGTH} characters; white space around it does not count",
        "minLength": 1,
    },
    values.bio: {**_PLAIN, "maxLength": values.BIO_LENGTH},
    values.location: {**_PLAIN, "maxLength": values.LOCATION_LENGTH},
    values.website: {"format": "uri", "maxLength": values.WEBSITE_LENGTH},
    values.birth_date: {"format": "date"},
    values.cheep_text: {
        **_PLAIN,
        "description": f"1 to {values.MESSAGE_LENGTH} characters; white space around it does not count",
        "minLength": 1,
    },
}
"""The schema of a text that keeps a rule, as far as a schema can express the rule."""

_IDEMPOTENCY_KEY: Final = Parameter(
    name=IDEMPOTENCY_KEY_HEADER,
    param_in="header",
    description="A UUID that becomes the message id: the same request with it has one effect and one answer",
    schema=cast("Schema", {"type": "string", "format": "uuid"}),
)


def status_of_done(method: Method) -> int:
    """Return 201 for commands that make something, which are those that are posted, and 200 for all others."""
    return 201 if method == "POST" else 200


def first_sentence(command_type: type[Command]) -> str:
    """Return the first sentence of a command's docstring."""
    return " ".join((command_type.__doc__ or "").split()).partition(". ")[0].rstrip(".") + "."


def data_type(command_type: type[Command], fields: tuple[str, ...]) -> type[msgspec.Struct]:
    """Return the type of the response's `data`, which has these fields of the command."""
    return msgspec.defstruct(f"{command_type.__name__}Data", [(name, str) for name in fields], frozen=True)


def responses(data: Any, method: Method) -> dict[int, ResponseSpec]:
    """Return all responses of a command."""
    texts = {
        status_of_done(method): "It was done" if method == "POST" else "It was done, or was so already",
        202: "Accepted; it will be handled",
    }
    if method == "POST":
        texts[200] = "It was so already"
    done = {
        status: ResponseSpec(Answer[data], description=text, generate_examples=False) for status, text in texts.items()
    }
    return done | problems.documented()


def operation(command_type: type[Command], form: Form) -> type[Operation]:
    """Return an operation that is documented by the form, since no signature names its fields."""

    @dataclass
    class FormOperation(Operation):
        def __post_init__(self) -> None:
            self.parameters = [
                _IDEMPOTENCY_KEY,
                *(_parameter(field, "path") for field in form.path.values()),
                *(_parameter(field, "query") for field in form.query.values()),
            ]
            if form.body is not None:
                self.request_body = _request_body(command_type, form.body)

    return FormOperation


def _parameter(field: Field, place: Literal["path", "query"]) -> Parameter:
    return Parameter(name=field.name, param_in=place, required=field.required, schema=cast("Schema", _schema(field)))


def _request_body(command_type: type[Command], fields: Mapping[str, Field]) -> RequestBody:
    schema = {
        "title": command_type.__name__,
        "type": "object",
        "properties": {name: _schema(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
        "additionalProperties": False,
    }
    return RequestBody(required=True, content={"application/json": OpenAPIMediaType(schema=cast("Schema", schema))})


def _schema(field: Field) -> dict[str, Any]:
    text = {"type": "string", **_SCHEMAS[values.RULES[field.name]]}
    return text if field.required else {"anyOf": [text, {"type": "null"}]}
