"""The reading of a command's fields from a request's path, query and body. All mistakes are named at once.

The place of each field follows from the route and the method alone. The domain's rules are checked here, so that a
client learns of its mistakes before its command is accepted, and once more by the command's handler: commands also
reach it from Kafka, where older versions and other senders put them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal
from urllib.parse import parse_qsl

import msgspec
from litestar.exceptions import InternalServerException

from cheeper_contracts.http.responses import PARAMETERS_READ, WrongField
from cheeper_contracts.http.routes import Route
from cheeper_contracts.messages import Command
from write_api.bus.bus import now_in_microseconds
from write_api.domain import values
from write_api.domain.errors import Invalid
from write_api.http.context import AnyRequest, context_of
from write_api.http.errors import ClientGoneError, MalformedJsonError, UnsupportedMediaTypeError

Method = Literal["POST", "PUT", "PATCH", "DELETE"]

MAX_BODY_BYTES: Final = 64 * 1024
"""A larger one is 413."""

WHOLE_BODY: Final = "body"
_HEADER_LENGTH: Final = 256
"""The longest Content-Type that is read."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a command in a request: text, or null if it is not `required`."""

    name: str
    required: bool


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a command by the place where they stand. A request without a body has none for it."""

    path: dict[str, Field]
    query: dict[str, Field]
    body: dict[str, Field] | None


def form_of(command_type: type[Command], method: Method, route: Route, new_id: str | None = None) -> Form:
    """Return the form of a command. A field that the route's path names is in the path; any other field is in the body,
    or in the query of a DELETE, which has no body. Neither has a request whose fields are all in the path. The field
    `new_id` may be left out.
    """
    fields = {
        field.name: Field(name=field.name, required=field.required and field.name != new_id)
        for field in msgspec.structs.fields(command_type)
    }
    path = {name: fields.pop(name) for name in list(fields) if f"{{{name}}}" in route.path}
    if method == "DELETE" or not fields:
        return Form(path=path, query=fields, body=None)
    return Form(path=path, query={}, body=fields)


async def read(request: AnyRequest, form: Form) -> dict[str, str | None]:
    """Return the fields that a request has.

    Raise ClientGoneError, UnsupportedMediaTypeError, MalformedJsonError, or Invalid with all that is wrong with the
    request: headers, path, query and body.
    """
    try:
        body = await request.body()
    except InternalServerException as error:  # Litestar's name for a body that broke off
        raise ClientGoneError from error
    if form.body is not None:
        _require_json(request.headers.getall("content-type", []), request.headers.getall("content-encoding", []))
    wrong = list(context_of(request.scope).wrong)
    return fill_in(form, request.path_params, request.scope["query_string"], body, wrong)


def fill_in(
    form: Form, path: Mapping[str, str], query: bytes, body: bytes, wrong: list[WrongField]
) -> dict[str, str | None]:
    """Return the fields of all places: ids in their one spelling, other texts as they were sent.

    Raise Invalid with `wrong` and all wrong fields, or MalformedJsonError.
    """
    given = _fitting(form.path, path, wrong) | _fitting(form.query, _parameters(query, wrong), wrong)
    content = _content(form, body, wrong)
    if content is not None:
        given |= _fitting(form.body or {}, content, wrong)
    try:
        checked = values.checked(given, now_in_microseconds())
    except Invalid as invalid:
        wrong += invalid.fields
    if wrong:
        raise Invalid(wrong)
    return given | {name: checked[name] for name in given if values.RULES[name] is values.identifier}


def _fitting(
    fields: Mapping[str, Field], given: Mapping[str, object], wrong: list[WrongField]
) -> dict[str, str | None]:
    """Return the values that are of the right type. Those that are not, are missing or unknown are added to `wrong`."""
    fitting: dict[str, str | None] = {}
    for name, field in fields.items():
        if name not in given:
            wrong += [WrongField(name, "is missing")] if field.required else []
            continue
        value = given[name]
        if isinstance(value, str) or (value is None and not field.required):
            fitting[name] = value
        else:
            wrong.append(WrongField(name, "must be text"))
    wrong += [WrongField(name, "is unknown") for name in given if name not in fields]
    return fitting


def _parameters(query: bytes, wrong: list[WrongField]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    if query.count(b"&") >= PARAMETERS_READ:
        wrong.append(WrongField("query", f"must have at most {PARAMETERS_READ} parameters"))
        return parameters
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name in parameters:
            wrong.append(WrongField(name, "must be given at most once"))
        parameters[name] = value
    return parameters


def _content(form: Form, body: bytes, wrong: list[WrongField]) -> dict[str, object] | None:
    """Return the fields of the body, None if it is no object and has none to name."""
    if form.body is None:
        wrong += [WrongField(WHOLE_BODY, "must be empty")] if body else []
        return {}
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedJsonError from error
    wrong += [WrongField(name, "must be given at most once") for name in _repeated_keys(body)]
    if not isinstance(content, dict):
        wrong.append(WrongField(WHOLE_BODY, "must be a JSON object"))
        return None
    return content


def _repeated_keys(body: bytes) -> list[str]:
    """Return the keys that an object of a JSON text has more than once, at any depth. Other readers of the same text
    would take the first of them, or the last.
    """
    repeated: dict[str, None] = {}

    def collect(pairs: list[tuple[str, object]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            repeated.update(dict.fromkeys(key for key, count in counts.items() if count > 1))

    try:
        json.loads(body, object_pairs_hook=collect, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise MalformedJsonError from error
    return list(repeated)


def _require_json(content_types: Sequence[str], encodings: Iterable[str]) -> None:
    """Raise UnsupportedMediaTypeError unless the body is declared as JSON in UTF-8, without an encoding. No body is
    decoded: a small one could become a large one.
    """
    if len(content_types) != 1 or len(content_types[0]) > _HEADER_LENGTH:
        raise UnsupportedMediaTypeError
    if any(each.strip().lower() not in {"", "identity"} for each in encodings):
        raise UnsupportedMediaTypeError
    media_type, _, parameters = content_types[0].partition(";")
    charset = dict(parse_qsl(parameters.replace(" ", "").lower(), separator=";")).get("charset", "utf-8")
    if media_type.strip().lower() != "application/json" or charset.strip('"') not in {"utf-8", "utf8"}:
        raise UnsupportedMediaTypeError
