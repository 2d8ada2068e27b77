"""Settings from the environment: a struct declares them, and msgspec converts and checks each value.

    class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
        redis_url: RedisUrl
        port: Port = 8013
        days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
        log_level: LogLevel = "info"

    settings.read(Settings, os.environ)

A variable that is empty counts as one that is not set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, get_args
from urllib.parse import urlsplit

import msgspec

_T = TypeVar("_T", bound=msgspec.Struct)


class SettingError(Exception):
    """A variable of the environment is missing or wrong. The text names the variable without its value."""


class Parser(msgspec.Struct, frozen=True):
    """An annotation for what msgspec cannot convert.

    `parse` returns the value, or raises ValueError with a text such as "must be a URL that begins with redis://".
    """

    parse: Callable[[str], object]


def url(*schemes: str) -> Parser:
    """Return a parser of URLs with one of these schemes."""

    def parse(text: str) -> str:
        try:
            scheme = urlsplit(text).scheme
        except ValueError:
            scheme = ""
        if scheme not in schemes:
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{each}://' for each in schemes)}")
        return text

    return Parser(parse)


RedisUrl = Annotated[str, url("redis", "rediss", "unix")]
MongoUrl = Annotated[str, url("mongodb", "mongodb+srv")]
PostgresUrl = Annotated[str, url("postgresql", "postgres")]
Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
"""A port to listen on; 0 is any that is free."""


def read(
    settings: type[_T], environ: Mapping[str, str], *, defaults: Mapping[str, object] | None = None, **fixed: object
) -> _T:
    """Return the settings. Raise SettingError.

    A field's variable is its encoded name. `defaults` overrides the defaults of fields; the fields in `fixed` have the
    value given here, whatever the environment has.
    """
    values = dict(defaults or {})
    for field in msgspec.structs.fields(settings):
        text = environ.get(field.encode_name)
        if text and field.name not in fixed:
            values[field.name] = _value(field.encode_name, text, field.type)
        elif field.required and field.name not in values and field.name not in fixed:
            raise SettingError(f"{field.encode_name} is not set")
    return settings(**values, **fixed)


def _value(name: str, text: str, type_: Any) -> object:
    try:
        for annotation in getattr(type_, "__metadata__", ()):
            if isinstance(annotation, Parser):
                return annotation.parse(text)
        return msgspec.convert(text.lower() if _choices(type_) else text, type_, strict=False)
    except msgspec.ValidationError:
        raise SettingError(f"{name} must be {_wanted(type_)}") from None
    except ValueError as error:
        raise SettingError(f"{name} {error}") from None


def _choices(type_: Any) -> tuple[Any, ...]:
    described = msgspec.inspect.type_info(type_)
    return tuple(get_args(type_)) if isinstance(described, msgspec.inspect.LiteralType) else ()


def _wanted(type_: Any) -> str:
    """Describe what the type takes, for the end of a sentence."""
    if choices := _choices(type_):
        return f"one of {', '.join(map(str, choices))}"
    described = msgspec.inspect.type_info(type_)
    optional = isinstance(described, msgspec.inspect.UnionType)
    number = described.types[0] if isinstance(described, msgspec.inspect.UnionType) else described
    if not isinstance(number, msgspec.inspect.IntType):
        return f"a {type_.__name__}"
    return f"a number from {number.ge} to {number.le}{', or empty' if optional else ''}"
