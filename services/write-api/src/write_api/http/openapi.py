"""The documentation of a command's endpoint in OpenAPI, from the command and its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import msgspec
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIHeader,
    OpenAPIMediaType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
    SecurityScheme,
)

from cheeper_contracts.http import routes
from cheeper_contracts.http.documented import (
    EXAMPLE_ID,
    OPTIONAL_TOKEN,
    SCHEME,
    SCHEME_DESCRIPTION,
    by_status,
    error_example,
)
from cheeper_contracts.http.responses import IDEMPOTENCY_KEY_HEADER, Answer, Problem
from cheeper_contracts.messages import Command
from write_api.domain import values
from write_api.domain.errors import Refusal
from write_api.domain.rules import Rule
from write_api.http.forms import Field, Form, Method

CONFIG: Final = OpenAPIConfig(
    title="Cheeper: commands",
    version="1",
    path=routes.OPENAPI,
    render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
    components=Components(
        security_schemes={
            SCHEME: SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description=SCHEME_DESCRIPTION)
        }
    ),
)
"""The settings of the document."""
_ALWAYS: Final = (
    *("malformed_json", "unauthenticated", "not_allowed", "request_timeout", "message_id_reused", "body_too_large"),
    *("invalid", "rate_limited", "internal", "unavailable", "overloaded"),
)
"""The codes that any command may be refused with, by the gateway or by this service."""
LOCATION: Final = "Location"
_LOCATION: Final = OpenAPIHeader(
    description="The path of what is created; it is there once the command is handled",
    schema=cast("Schema", {"type": "string", "format": "uri-reference"}),
)
_DONE: Final = ("200", "201", "202")
_WITH_BODY: Final = ("unsupported_media_type",)

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
_EXAMPLES: Final[dict[Rule[..., str], str]] = {
    values.identifier: EXAMPLE_ID,
    values.username: "bob",
    values.email: "bob@example.com",
    values.name: "Bob",
    values.bio: "Writes cheeps.",
    values.location: "Barcelona",
    values.website: "https://example.com/bob",
    values.birth_date: "1990-05-17",
    values.cheep_text: "Hello, world",
}
"""A text that keeps a rule."""
_EXAMPLE_IDS: Final = {
    "muted_id": "f5f2e6d3-4b3f-4f7f-8a51-6a3c3f0c9c02",
    "blocked_id": "f5f2e6d3-4b3f-4f7f-8a51-6a3c3f0c9c02",
    "to_author_id": "f5f2e6d3-4b3f-4f7f-8a51-6a3c3f0c9c02",
    "cheep_id": "28bc90bd-2dfb-4b71-962f-81f02b0b3149",
    "in_reply_to": "c0d0b0a4-7a1e-4f0e-9a53-2d8f3e6f7c11",
    "follow_id": "8cc71bf2-f827-4c3b-b3a3-9a3a3b2f5a6d",
}
"""The ids of the fields whose id is not an author's who acts."""

_IDEMPOTENCY_KEY: Final = Parameter(
    name=IDEMPOTENCY_KEY_HEADER,
    param_in="header",
    description="A UUID that becomes the message id: the same request with it has one effect and one answer",
    # Not `format: uuid`, of which generated clients make values that are no text for a header.
    schema=cast(
        "Schema",
        {
            "type": "string",
            "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            "not": {"const": "00000000-0000-0000-0000-000000000000"},
        },
    ),
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


def example_of(field_name: str) -> str:
    """Return a value for a field of a command that keeps the field's rule."""
    return _EXAMPLE_IDS.get(field_name) or _EXAMPLES[values.RULES[field_name]]


def codes_of(method: Method, refusals: Iterable[type[Refusal]]) -> list[str]:
    """Return the codes of all errors that a command with these refusals of the domain may end with."""
    return [*_ALWAYS, *(() if method == "DELETE" else _WITH_BODY), *(refusal.code for refusal in refusals)]


def responses(data: type[msgspec.Struct], method: Method, refusals: Iterable[type[Refusal]]) -> dict[int, ResponseSpec]:
    """Return all responses of a command."""
    texts = {
        status_of_done(method): "It was done" if method == "POST" else "It was done, or was so already",
        202: "Accepted; it will be handled",
    }
    if method == "POST":
        texts[200] = "It was so already"
    body = {
        "data": {name: example_of(name) for name in data.__struct_fields__},
        "meta": {"message_id": EXAMPLE_ID},
    }
    example = Example(id="done", value=body)
    shape: Any = Answer[data]  # type: ignore[valid-type]
    done = {
        status: ResponseSpec(shape, description=text, generate_examples=False, examples=[example])
        for status, text in sorted(texts.items())
    }
    return done | _errors(codes_of(method, refusals))


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


def operation(form: Form, *, creates: bool) -> type[Operation]:
    """Return an operation that is documented by the form, since no signature names its fields. If it `creates`
    something, its responses say where that is.
    """

    @dataclass
    class FormOperation(Operation):
        def __post_init__(self) -> None:
            self.security = OPTIONAL_TOKEN
            self.parameters = [
                _IDEMPOTENCY_KEY,
                *(_parameter(field, "path") for field in form.path.values()),
                *(_parameter(field, "query") for field in form.query.values()),
            ]
            if form.body is not None:
                self.request_body = _request_body(form.body)
            if creates:
                for status in _DONE:
                    self.responses[status].headers = {LOCATION: _LOCATION}  # type: ignore[index,union-attr]

    return FormOperation


def _parameter(field: Field, place: Literal["path", "query"]) -> Parameter:
    return Parameter(
        name=field.name,
        param_in=place,
        required=field.required,
        schema=cast("Schema", _schema(field)),
        example=example_of(field.name),
    )


def _request_body(fields: Mapping[str, Field]) -> RequestBody:
    schema = {
        "type": "object",
        "properties": {name: _schema(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
        "additionalProperties": False,
    }
    example = {name: example_of(name) for name in fields}
    media = OpenAPIMediaType(schema=cast("Schema", schema), example=example)
    return RequestBody(required=True, content={"application/json": media})


def _schema(field: Field) -> dict[str, Any]:
    text = {"type": "string", **_SCHEMAS[values.RULES[field.name]]}
    return text if field.required else {"anyOf": [text, {"type": "null"}]}
