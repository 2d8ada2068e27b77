"""The documentation of the operations in OpenAPI: handlers read their bodies themselves, so no signature names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody, Schema

from cheeper_contracts.http.documented import EXAMPLE_ID, by_status, error_example
from cheeper_contracts.http.responses import Answer, Problem
from identity.domain.sessions import Tokens
from identity.external.sign_in import Begun
from identity.http.forms import Email, NewPassword, ProviderChoice, ProviderResponse, SignIn, SignOut

_WITH_BODY: Final = ("malformed_json", "body_too_large", "request_timeout", "unsupported_media_type", "invalid")
_ALWAYS: Final = ("internal", "unavailable")


class Nothing(msgspec.Struct, frozen=True):
    """No data."""


class AccountOpened(msgspec.Struct, frozen=True):
    """The account, whose id is the author id that it signs up, and a session of it."""

    account_id: str
    session: Tokens


_TOKENS: Final = {"access_token": "eyJ…", "refresh_token": "7Jq…", "token_type": "Bearer", "expires_in": 900}
_EXAMPLES: Final[dict[type[msgspec.Struct], dict[str, Any]]] = {
    Email: {"email": "bob@example.com"},
    NewPassword: {
        "email": "bob@example.com",
        "code": "lXnQK3c8hVt2y0P5sWb7RzJmDfEgUaNo",
        "new_password": "correct horse",
    },
    SignIn: {"email": "bob@example.com", "password": "correct horse"},
    ProviderChoice: {"provider": "example"},
    ProviderResponse: {
        "secret": "Yk3…",
        "state": "b9P…",
        "code": "SplxlOBeZQQYbYS6WxSbIA",
        "iss": "https://id.example.org",
    },
    Begun: {
        "url": "https://id.example.org/authorize?response_type=code&client_id=cheeper",
        "secret": "Yk3…",
        "state": "b9P…",
        "expires_in": 600,
    },
    SignOut: {"refresh_token": _TOKENS["refresh_token"]},
    Nothing: {},
    AccountOpened: {"account_id": EXAMPLE_ID, "session": _TOKENS},
    Tokens: _TOKENS,
}


def with_body(  # noqa: PLR0913, PLR0917 - the parts of an operation
    name: str,
    summary: str,
    body: type[msgspec.Struct],
    data: type[msgspec.Struct],
    status: int,
    codes: Sequence[str],
) -> dict[str, Any]:
    """Return what Litestar documents of a handler: its name, one sentence, the forms of its body and of its data, and
    the codes of its errors beside those that any body may be refused with.
    """
    shape: Any = Answer[data]  # type: ignore[valid-type]
    example = Example(id="done", value={"data": _EXAMPLES[data], "meta": {"message_id": EXAMPLE_ID}})
    done = ResponseSpec(shape, description="It was done", generate_examples=False, examples=[example])
    return _operation(name, summary, _operation_with(body), {status: done}, (*_WITH_BODY, *_ALWAYS, *codes))


def page(name: str, summary: str) -> dict[str, Any]:
    """Return what Litestar documents of a handler that responds with a plain object of JSON."""
    found = ResponseSpec(dict[str, Any], description="The document", generate_examples=False)
    return _operation(name, summary, Operation, {200: found}, _ALWAYS)


def _operation(
    name: str, summary: str, operation: type[Operation], done: dict[int, ResponseSpec], codes: Sequence[str]
) -> dict[str, Any]:
    errors = {
        status: ResponseSpec(
            Answer[Problem],
            description=", ".join(names),
            generate_examples=False,
            examples=[Example(id=code, value=error_example(code)) for code in names],
        )
        for status, names in by_status(codes).items()
    }
    return {
        "operation_id": name,
        "summary": summary,
        "tags": ["accounts"],
        "operation_class": operation,
        "responses": done | errors,
    }


def _operation_with(body: type[msgspec.Struct]) -> type[Operation]:
    (_,), components = msgspec.json.schema_components([body])
    schema = {name: value for name, value in components[body.__name__].items() if name != "title"}
    media = OpenAPIMediaType(schema=cast("Schema", schema), example=_EXAMPLES[body])

    @dataclass
    class BodyOperation(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(required=True, content={"application/json": media})

    return BodyOperation
