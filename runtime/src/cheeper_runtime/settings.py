"""Settings from the environment: a struct declares them, and msgspec converts and checks each value.

    class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
        redis_url: RedisUrl
        port: Port = 8013
        days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
        log_level: LogLevel = "info"

    settings.read(Settings, os.environ)

A variable that is empty counts as one that is not set. A field that is itself a struct is read from the
variables of its own fields. The value of any variable may be in a file instead, whose path is in the variable of
the same name with `_FILE` behind it: a URL with a password is then in no environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import msgspec

from cheeper_runtime.servers.files import password_of

_T = TypeVar("_T", bound=msgspec.Struct)


class SettingError(Exception):
    """A variable of the environment is missing or wrong. The text names the variable without its value."""


class Parser(msgspec.Struct, frozen=True):
    """An annotation for what msgspec cannot convert.

    `parse` returns the value, or raises ValueError with a text such as "must be a URL that begins with redis://".
    """

    parse: Callable[[str], object]


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
        if _is_struct(field.type) and field.name not in fixed:
            values[field.name] = read(field.type, environ)
            continue
        text = None if field.name in fixed else _text(field.encode_name, environ)
        if text:
            values[field.name] = _value(field.encode_name, text, field.type)
        elif field.required and field.name not in values and field.name not in fixed:
            raise SettingError(f"{field.encode_name} is not set")
    try:
        return settings(**values, **fixed)
    except ValueError as error:  # of __post_init__, which names the variables that do not fit each other
        raise SettingError(str(error)) from None


def _text(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the variable's value, or that in the file of its other form."""
    text, file = environ.get(name), environ.get(f"{name}_FILE")
    if not file:
        return text
    if text:
        raise SettingError(f"{name} and {name}_FILE are both set")
    try:
        return password_of(Path(file))
    except ValueError:
        raise SettingError(f"{name}_FILE must be a file with the value that this process can read") from None


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


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
