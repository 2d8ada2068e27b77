"""The parameters of all queries: the values that each allows, how it is read, and the error if it is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, get_args

import msgspec
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from cheeper_contracts.http.documented import EXAMPLE_ID
from read_api.http.parameters import Parameter
from read_api.queries.author_by_username import USERNAME_PATTERN
from read_api.queries.search import PAGE_MAX, Q_LENGTH, RESULTS, RESULTS_MAX, SortBy, SortOrder, is_a_search
from read_api.queries.timeline import OFFSET_MAX
from read_api.query_bus.paging import CURSOR_PATTERN, PAGE_SIZE, PAGE_SIZE_MAX
from read_api.query_bus.query import WAIT_SECONDS, WAIT_SECONDS_MAX
from read_api.streams.window import POSITION_PATTERN

UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
UUID_LENGTH: Final = 36
NUMBER_LENGTH: Final = 32
USERNAME_LENGTH: Final = 30
CURSOR_LENGTH: Final = 128
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
_DECIMAL: Final = re.compile(r"\d{1,9}(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_CURSOR: Final = re.compile(CURSOR_PATTERN.strip("^$"))
_FLAG: Final = re.compile("[01]")
_POSITION: Final = re.compile(POSITION_PATTERN.strip("^$"))
_USERNAME: Final = re.compile(USERNAME_PATTERN.strip("^$"))


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(text)
    return text


def _text(pattern: re.Pattern[str]) -> Callable[[str], str]:
    return lambda text: _matched(pattern, text)


def _uuid(text: str) -> str:
    return _matched(UUID, text).lower()


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


def _search(text: str) -> str:
    if not is_a_search(text):
        raise ValueError(text)
    return text


def _id(name: str) -> Parameter:
    return Parameter(
        name=name,
        place="path",
        longest=UUID_LENGTH,
        read=_uuid,
        wrong="must be a UUID",
        schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID),
        description="A UUID of any version, in either case.",
        example=EXAMPLE_ID,
    )


def _number(name: str, least: int, most: int, *, default: int, description: str) -> Parameter:
    return Parameter(
        name=name,
        place="query",
        longest=NUMBER_LENGTH,
        read=_whole(least, most),
        wrong=f"must be a whole number from {least} to {most}",
        schema=Schema(type=OpenAPIType.INTEGER, minimum=least, maximum=most, default=default),
        description=description,
    )


def _choice(name: str, choices: tuple[str, ...], description: str) -> Parameter:
    return Parameter(
        name=name,
        place="query",
        longest=max(map(len, choices)),
        read=_text(re.compile("|".join(choices))),
        wrong=f"must be {' or '.join(choices)}",
        schema=Schema(type=OpenAPIType.STRING, enum=choices, default=choices[0]),
        description=description,
    )


AUTHOR_ID: Final = _id("author_id")
CHEEP_ID: Final = _id("cheep_id")
MESSAGE_ID: Final = _id("message_id")
USERNAME: Final = Parameter(
    name="username",
    place="query",
    required=True,
    longest=USERNAME_LENGTH,
    read=_text(_USERNAME),
    wrong="must be 1 to 30 of A-Z, a-z, 0-9 and _",
    schema=Schema(type=OpenAPIType.STRING, pattern=USERNAME_PATTERN),
    description="A username, in either case.",
    example="bob",
)
SIZE: Final = _number("size", 1, PAGE_SIZE_MAX, default=PAGE_SIZE, description="The most entries of a page.")
CURSOR: Final = Parameter(
    name="cursor",
    place="query",
    longest=CURSOR_LENGTH,
    read=_text(_CURSOR),
    wrong="must be a meta.next_cursor of an earlier page of this list",
    schema=Schema(type=OpenAPIType.STRING, pattern=CURSOR_PATTERN),
    description="The start of the page: meta.next_cursor of the page before, of the same list.",
)


def _position(name: str, place: Literal["query", "header"], description: str) -> Parameter:
    return Parameter(
        name=name,
        place=place,
        longest=CURSOR_LENGTH,
        read=_text(_POSITION),
        wrong="must be the id of an event of this stream, or a cursor of its list",
        schema=Schema(type=OpenAPIType.STRING, pattern=POSITION_PATTERN),
        description=description,
    )


STREAM_CURSOR: Final = _position("cursor", "query", "Where to resume the stream, unless Last-Event-ID says so.")
LAST_EVENT_ID: Final = _position("Last-Event-ID", "header", "The id of the last event that the client has received.")
OFFSET: Final = _number(
    "offset",
    0,
    OFFSET_MAX,
    default=0,
    description="The number of entries to skip, from the cursor if there is one.",
)
OWN: Final = Parameter(
    name="own",
    place="query",
    longest=1,
    read=lambda text: _matched(_FLAG, text) == "1",
    wrong="must be 0 or 1",
    schema=Schema(type=OpenAPIType.INTEGER, enum=[0, 1], default=0),
    description="With 1, the author's own cheeps are in the list too.",
)
Q: Final = Parameter(
    name="q",
    place="query",
    required=True,
    longest=Q_LENGTH,
    read=_search,
    wrong=f"must have a word that is not a single Latin letter, and {Q_LENGTH} characters at most",
    schema=Schema(type=OpenAPIType.STRING, max_length=Q_LENGTH),
    description="Words that must each begin some word of the text, not all of them single Latin letters.",
    example="hello wor",
)
PAGE: Final = _number("page", 1, PAGE_MAX, default=1, description="The number of the page, from 1.")
RESULTS_A_PAGE: Final = _number("page_size", 1, RESULTS_MAX, default=RESULTS, description="The most entries of a page.")
RESULTS_SIZE: Final = msgspec.structs.replace(
    RESULTS_A_PAGE, name="size", fills=RESULTS_A_PAGE.name, description="The same as page_size, as lists spell it."
)
SORT_BY: Final = _choice("sort_by", get_args(SortBy), "The field that orders the results.")
SORT_ORDER: Final = _choice("sort_order", get_args(SortOrder), "desc for the newest first, asc for the oldest first.")
BY_AUTHOR: Final = Parameter(
    name="author_id",
    place="query",
    longest=UUID_LENGTH,
    read=_uuid,
    wrong="must be a UUID",
    schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID),
    description="The author whose cheeps to find; of all authors if it is left out.",
)
AFTER: Final = Parameter(
    name="after",
    place="query",
    longest=UUID_LENGTH,
    read=_uuid,
    wrong="must be a UUID",
    schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID),
    description="The message id of a command whose effects the response must show.",
)
TIMEOUT: Final = Parameter(
    name="timeout",
    place="query",
    longest=NUMBER_LENGTH,
    read=_seconds,
    wrong=f"must be a number of seconds from 0 to {WAIT_SECONDS_MAX:g}",
    schema=Schema(type=OpenAPIType.NUMBER, minimum=0, maximum=WAIT_SECONDS_MAX, default=WAIT_SECONDS),
    description="The longest wait for `after` in seconds. If it ends without the effects, meta.stale is true.",
)
WAIT: Final = (AFTER, TIMEOUT)
LIST: Final = (SIZE, CURSOR)
SEARCH: Final = (Q, PAGE, RESULTS_A_PAGE, RESULTS_SIZE, SORT_BY, SORT_ORDER)
