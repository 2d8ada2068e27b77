"""Request bodies: decoded in one step when all is well, field by field when not, so that all wrong fields are named."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cache
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl

import msgspec
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.openapi.spec import Schema
from litestar.typing import FieldDefinition

from cheeper_contracts.answers import WrongField
from write_api.domain import values
from write_api.domain.errors import Invalid
from write_api.http.context import context_of
from write_api.http.errors import MalformedJsonError, UnsupportedMediaTypeError

MAX_BODY_BYTES: Final = 64 * 1024
"""A larger one is 413."""

WHOLE_BODY: Final = "body"


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request's body, all of whose fields are text."""

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """The domain's rule of each field."""
        raise NotImplementedError


B = TypeVar("B", bound=Body)


class Json(AbstractDTO[B]):
    """Litestar's hook for decoding: `dto=Json[SomeBody]` gives the handler a body that keeps the domain's rules."""

    def decode_bytes(self, value: bytes) -> Any:
        """The body. Raises MalformedJsonError, UnsupportedMediaTypeError, or Invalid with all that is wrong with the
        request: headers, query parameters and fields.
        """
        request = self.asgi_connection
        _require_json(request.headers.get("content-type", ""))
        wrong = [*context_of(request.scope).wrong, *_unknown_parameters(request.scope["query_string"])]
        try:
            return decode(self.model_type, value, wrong)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MalformedJsonError from error

    @classmethod
    def create_openapi_schema(cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any) -> Schema:
        """The body's JSON Schema, as msgspec has it."""
        del field_definition, handler_id, schema_creator
        (_,), components = msgspec.json.schema_components([cls.model_type])
        return cast("Schema", components[cls.model_type.__name__])

    @classmethod
    def create_for_field_definition(cls, *_: Any, **__: Any) -> None:
        """Nothing to prepare: the body is decoded as it is."""

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        """None: there is no transfer model beside the body."""
        del model_type
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        """Never."""
        del field_definition
        return False


def decode(body_type: type[B], value: bytes, wrong: list[WrongField]) -> B:
    """The body in these bytes. Raises Invalid with `wrong` and all wrong fields, or msgspec.DecodeError."""
    body: B | None = None
    try:
        body = _decoder(body_type).decode(value)
    except msgspec.ValidationError:
        given, misfits = _sorted_out(body_type, msgspec.json.decode(value))
        wrong += misfits
    else:
        given = msgspec.structs.asdict(body)
    try:
        values.checked(body_type.rules(), given)
    except Invalid as invalid:
        wrong += invalid.fields
    if wrong or body is None:
        raise Invalid(wrong)
    return body


def _sorted_out(body_type: type[B], raw: object) -> tuple[dict[str, str | None], list[WrongField]]:
    """The fields that are of the right type, and those that are not, are missing or unknown."""
    if not isinstance(raw, dict):
        return {}, [WrongField(WHOLE_BODY, "must be a JSON object")]
    fitting: dict[str, str | None] = {}
    misfits = []
    fields = {field.encode_name: field for field in msgspec.structs.fields(body_type)}
    for name, field in fields.items():
        if name not in raw:
            misfits += [WrongField(name, "is missing")] if field.required else []
            continue
        try:
            fitting[name] = msgspec.convert(raw[name], field.type)
        except msgspec.ValidationError:
            misfits.append(WrongField(name, "must be text"))
    misfits += [WrongField(name, "is unknown") for name in raw if name not in fields]
    return fitting, misfits


def _unknown_parameters(query: bytes) -> list[WrongField]:
    names = dict.fromkeys(name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return [WrongField(name, "is an unknown query parameter") for name in names]


def _require_json(content_type: str) -> None:
    media_type, _, parameters = content_type.partition(";")
    charset = dict(parse_qsl(parameters.replace(" ", "").lower(), separator=";")).get("charset", "utf-8")
    if media_type.strip().lower() != "application/json" or charset.strip('"') not in {"utf-8", "utf8"}:
        raise UnsupportedMediaTypeError


@cache
def _decoder(body_type: type[B]) -> msgspec.json.Decoder[B]:  # one a type, made when first needed
    return msgspec.json.Decoder(body_type)
