"""Reads and documents the parameters of a query; `parameter_table` has all of them.

The OpenAPI document is generated from the same table, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec
from litestar.openapi.spec import Parameter as OpenAPIParameter
from litestar.openapi.spec import Schema

from cheeper_contracts.http.responses import PARAMETERS_READ, WrongField, first_wrong
from cheeper_contracts.text import require_few_marks


class InvalidError(ValueError):
    """A request has wrong fields; `fields` has the first of them."""

    def __init__(self, fields: Iterable[WrongField]) -> None:
        super().__init__()
        self.fields = first_wrong(fields)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter. `read` returns its value, or raises ValueError, to which `wrong` is the response. It does not get a
    text of more than `longest` code points or one that piles up combining marks, which are wrong too. A parameter of
    the path is always present, one of the query must be only if it is `required`. `example` is a text that it reads.
    `fills` names the field of the query that has the value, if that is not the parameter's own name.
    """

    name: str
    place: Literal["path", "query", "header"]
    required: bool = False
    longest: int
    read: Callable[[str], object]
    wrong: str
    schema: Schema
    description: str
    example: str | None = None
    fills: str | None = None

    @property
    def field(self) -> str:
        """The name of the query's field that has the value."""
        return self.fills or self.name

    def value_of(self, text: str) -> object:
        """Return the value of a text. Raise ValueError."""
        if len(text) > self.longest:
            raise ValueError(self.wrong)
        require_few_marks(text)
        return self.read(text)

    def documented(self) -> OpenAPIParameter:
        """Return the parameter as OpenAPI describes it."""
        return OpenAPIParameter(
            name=self.name,
            param_in=self.place,
            required=self.required or self.place == "path",
            schema=self.schema,
            description=self.description,
            example=self.example,
        )


def read_parameters(table: Mapping[str, Parameter], path: Mapping[str, str], query_string: bytes) -> dict[str, Any]:
    """Return the values of the parameters of a request, by field; `table` has those that are allowed, by name.

    Raise InvalidError with all wrong fields.
    """
    wrong: list[WrongField] = []
    values: dict[str, Any] = {}
    for name, text in (*path.items(), *_pairs(query_string)):
        parameter = table.get(name)
        if parameter is None or (parameter.place == "path") != (name in path):
            wrong.append(WrongField(name, "is unknown"))
        elif parameter.field in values:
            wrong.append(WrongField(name, "must be given at most once"))
        else:
            values[parameter.field] = None
            try:
                values[parameter.field] = parameter.value_of(text)
            except ValueError:
                wrong.append(WrongField(name, parameter.wrong))
    wrong += [
        WrongField(each.name, "is missing") for each in table.values() if each.required and each.field not in values
    ]
    if wrong:
        raise InvalidError(wrong)
    return values


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    if not query_string:
        return []
    if query_string.count(b"&") >= PARAMETERS_READ:
        raise InvalidError([WrongField("query", f"must have at most {PARAMETERS_READ} parameters")])
    return parse_qsl(query_string.decode(errors="replace"), keep_blank_values=True, errors="replace")
