"""How a query's parameters are read and documented; `parameter_table` has them all.

OpenAPI is generated from the same table, so it cannot say anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec
from litestar.openapi.spec import Parameter as OpenAPIParameter
from litestar.openapi.spec import Schema

from cheeper_contracts.answers import WrongField


class InvalidError(ValueError):
    """A request has wrong fields, all of which are in `fields`."""

    def __init__(self, fields: Iterable[WrongField]) -> None:
        super().__init__()
        self.fields = tuple(fields)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter: `read` gives its value, or raises ValueError where `wrong` is the sentence to answer with. One of
    the path is always there, one of the query only where it is `required`.
    """

    name: str
    place: Literal["path", "query"]
    required: bool = False
    read: Callable[[str], object]
    wrong: str
    schema: Schema
    says: str

    def documented(self) -> OpenAPIParameter:
        """The parameter as OpenAPI has it."""
        return OpenAPIParameter(
            name=self.name,
            param_in=self.place,
            required=self.required or self.place == "path",
            schema=self.schema,
            description=self.says,
        )


def read_parameters(table: Mapping[str, Parameter], path: Mapping[str, str], query_string: bytes) -> dict[str, Any]:
    """The values of the parameters that were given, by name; `table` has those that are allowed, by name.

    Raises InvalidError with all that is wrong.
    """
    wrong: list[WrongField] = []
    values: dict[str, Any] = {}
    for name, text in (*path.items(), *_pairs(query_string)):
        parameter = table.get(name)
        if parameter is None or (parameter.place == "path") != (name in path):
            wrong.append(WrongField(name, "is not a parameter of this query"))
        elif name in values:
            wrong.append(WrongField(name, "must be given once at most"))
        else:
            values[name] = None
            try:
                values[name] = parameter.read(text)
            except ValueError:
                wrong.append(WrongField(name, parameter.wrong))
    wrong += [WrongField(name, "is missing") for name in table if table[name].required and name not in values]
    if wrong:
        raise InvalidError(wrong)
    return values


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    return (
        parse_qsl(query_string.decode(errors="replace"), keep_blank_values=True, errors="replace")
        if query_string
        else []
    )
