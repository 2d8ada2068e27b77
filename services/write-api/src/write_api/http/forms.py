"""What a request says in its path, its query and its body, read as one form: all that is wrong is named at once.

A form is a struct. Where each of its fields stands follows from the route and the method alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar.exceptions import InternalServerException
from msgspec.structs import FieldInfo

from cheeper_contracts.answers import WrongField
from cheeper_contracts.routes import Route
from write_api.domain import values
from write_api.domain.errors import Invalid
from write_api.http.context import AnyRequest, context_of
from write_api.http.errors import ClientGoneError, MalformedJsonError, UnsupportedMediaTypeError

MAX_BODY_BYTES: Final = 64 * 1024
"""A larger one is 413."""

WHOLE_BODY: Final = "body"


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a request says. Its fields are text, or null where their types allow it."""

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """The domain's rule of each field."""
        raise NotImplementedError


F = TypeVar("F", bound=Form)


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Which of a form's fields stand where. A request without a body has none for it."""

    path: dict[str, FieldInfo]
    query: dict[str, FieldInfo]
    body: dict[str, FieldInfo] | None


def places_of(form_type: type[Form], method: str, route: Route) -> Places:
    """A field that the route's path names stands there; any other in the body, or in the query of a DELETE, which has
    no body.
    """
    fields = {field.name: field for field in msgspec.structs.fields(form_type)}
    path = {name: fields.pop(name) for name in list(fields) if f"{{{name}}}" in route.path}
    if method == "DELETE":
        return Places(path=path, query=fields, body=None)
    return Places(path=path, query={}, body=fields)


async def read(request: AnyRequest, form_type: type[F], places: Places) -> F:
    """The form that a request fills in.

    Raises ClientGoneError, UnsupportedMediaTypeError, MalformedJsonError, or Invalid with all that is wrong with the
    request: headers, path, query and body.
    """
    try:
        body = await request.body()
    except InternalServerException as error:  # Litestar's word for a body that ended before its end
        raise ClientGoneError from error
    if places.body is not None:
        _require_json(request.headers.get("content-type", ""))
    wrong = list(context_of(request.scope).wrong)
    return fill_in(form_type, places, request.path_params, request.scope["query_string"], body, wrong)


def fill_in(  # noqa: PLR0913, PLR0917 - the parts of a request
    form_type: type[F],
    places: Places,
    path: Mapping[str, str],
    query: bytes,
    body: bytes,
    wrong: list[WrongField],
) -> F:
    """The form of what each place says. Raises Invalid with `wrong` and all wrong fields, or MalformedJsonError."""
    given = {
        **_fitting(places.path, path, wrong),
        **_fitting(places.query, _parameters(query, wrong), wrong, "is an unknown query parameter"),
        **_fitting(places.body or {}, _content(places, body, wrong), wrong),
    }
    try:
        values.checked(form_type.rules(), given)
    except Invalid as invalid:
        wrong += invalid.fields
    if wrong:
        raise Invalid(wrong)
    return form_type(**given)


def _fitting(
    fields: Mapping[str, FieldInfo],
    said: Mapping[str, object] | None,
    wrong: list[WrongField],
    unknown: str = "is unknown",
) -> dict[str, Any]:
    """The values of the fields that are of the right type; `wrong` gets those that are not, are missing or unknown."""
    fitting: dict[str, Any] = {}
    if said is None:
        return fitting
    for name, field in fields.items():
        if name in said:
            try:
                fitting[name] = msgspec.convert(said[name], field.type)
            except msgspec.ValidationError:
                wrong.append(WrongField(name, "must be text"))
        elif field.required:
            wrong.append(WrongField(name, "is missing"))
    wrong += [WrongField(name, unknown) for name in said if name not in fields]
    return fitting


def _parameters(query: bytes, wrong: list[WrongField]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name in parameters:
            wrong.append(WrongField(name, "must be given once"))
        parameters[name] = value
    return parameters


def _content(places: Places, body: bytes, wrong: list[WrongField]) -> dict[str, object] | None:
    """The fields of the body, or none where it has no fields to speak of."""
    if places.body is None:
        wrong += [WrongField(WHOLE_BODY, "must be empty")] if body else []
        return {}
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedJsonError from error
    if not isinstance(content, dict):
        wrong.append(WrongField(WHOLE_BODY, "must be a JSON object"))
        return None
    return content


def _require_json(content_type: str) -> None:
    media_type, _, parameters = content_type.partition(";")
    charset = dict(parse_qsl(parameters.replace(" ", "").lower(), separator=";")).get("charset", "utf-8")
    if media_type.strip().lower() != "application/json" or charset.strip('"') not in {"utf-8", "utf8"}:
        raise UnsupportedMediaTypeError
