"""The parameters of queries: a table from name to what is allowed, how it is read, and the sentence where it is wrong.

OpenAPI is generated from the same table, so it cannot say anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

import msgspec
from litestar.openapi.spec import Parameter as OpenAPIParameter
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from cheeper_contracts.answers import WrongField
from read_api.queries.asking import WAIT_SECONDS, WAIT_SECONDS_MAX
from read_api.queries.cursor import CURSOR_PATTERN
from read_api.queries.timeline import OFFSET_MAX, PAGE_SIZE, PAGE_SIZE_MAX

UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
_DECIMAL: Final = re.compile(r"\d{1,9}(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_CURSOR: Final = re.compile(CURSOR_PATTERN.strip("^$"))


class InvalidError(ValueError):
    """A request has wrong fields, all of which are in `fields`."""

    def __init__(self, fields: Iterable[WrongField]) -> None:
        super().__init__()
        self.fields = tuple(fields)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter: `read` gives its value, or raises ValueError where `wrong` is the sentence to answer with."""

    name: str
    place: Literal["path", "query"]
    read: Callable[[str], object]
    wrong: str
    schema: Schema
    says: str

    def documented(self) -> OpenAPIParameter:
        """The parameter as OpenAPI has it."""
        return OpenAPIParameter(
            name=self.name,
            param_in=self.place,
            required=self.place == "path",
            schema=self.schema,
            description=self.says,
        )


def read_parameters(allowed: Iterable[Parameter], path: Mapping[str, str], query_string: bytes) -> dict[str, Any]:
    """The values of the parameters that were given, by name. Raises InvalidError with all that is wrong."""
    table = {parameter.name: parameter for parameter in allowed}
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
    if wrong:
        raise InvalidError(wrong)
    return values


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    return parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="replace") if query_string else []


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(text)
    return text


def _uuid(text: str) -> str:
    return _matched(UUID, text).lower()


def _cursor(text: str) -> str:
    return _matched(_CURSOR, text)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(_matched(_WHOLE, text))
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return read


def _seconds(text: str) -> float:
    value = float(_matched(_DECIMAL, text))
    if value > WAIT_SECONDS_MAX:
        raise ValueError(text)
    return value


def _id(name: str) -> Parameter:
    return Parameter(
        name=name,
        place="path",
        read=_uuid,
        wrong="must be a UUID",
        schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID),
        says="A UUID of any version, in either case.",
    )


AUTHOR_ID: Final = _id("author_id")
CHEEP_ID: Final = _id("cheep_id")
SIZE: Final = Parameter(
    name="size",
    place="query",
    read=_whole(1, PAGE_SIZE_MAX),
    wrong=f"must be a whole number from 1 to {PAGE_SIZE_MAX}",
    schema=Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=PAGE_SIZE_MAX, default=PAGE_SIZE),
    says="How many a page has at most.",
)
CURSOR: Final = Parameter(
    name="cursor",
    place="query",
    read=_cursor,
    wrong="must be a meta.next_cursor of an earlier page",
    schema=Schema(type=OpenAPIType.STRING, pattern=CURSOR_PATTERN),
    says="Where to go on: meta.next_cursor of the page before.",
)
OFFSET: Final = Parameter(
    name="offset",
    place="query",
    read=_whole(0, OFFSET_MAX),
    wrong=f"must be a whole number from 0 to {OFFSET_MAX}",
    schema=Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=OFFSET_MAX, default=0),
    says="How many to skip, from the cursor where there is one.",
)
AFTER: Final = Parameter(
    name="after",
    place="query",
    read=_uuid,
    wrong="must be a UUID",
    schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID),
    says="The message id of a command whose effects the answer is to show.",
)
TIMEOUT: Final = Parameter(
    name="timeout",
    place="query",
    read=_seconds,
    wrong=f"must be a number of seconds from 0 to {WAIT_SECONDS_MAX:g}",
    schema=Schema(type=OpenAPIType.NUMBER, minimum=0, maximum=WAIT_SECONDS_MAX, default=WAIT_SECONDS),
    says="How many seconds to wait for `after` at most; then the answer is what is there, and meta.stale is true.",
)
WAIT: Final = (AFTER, TIMEOUT)
