"""The settings, read once from the environment.

HOST        address to listen on, 127.0.0.1
PORT        port to listen on, 8002; 0 for any that is free
REDIS_URL   redis://… of the hot views, required
REDIS_PREFIX    what all keys begin with, none
MONGO_URL   mongodb://… of the documents, required
MONGO_DATABASE  their database, cheeper
LOG_FORMAT  auto (console on a terminal, else json), json or console
LOG_LEVEL   debug, info, warning or error; info
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

LOG_FORMATS: Final = ("auto", "json", "console")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
DEFAULT_PORT: Final = 8002
_HIGHEST_PORT: Final = 65535


class SettingError(Exception):
    """A variable of the environment is missing or wrong. The text names it, without its value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set."""

    redis_url: str
    mongo_url: str
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    redis_prefix: str = ""
    mongo_database: str = "cheeper"
    log_format: str = "auto"
    log_level: str = "info"


def from_env(environ: Mapping[str, str]) -> Settings:
    """The settings. Raises SettingError."""
    return Settings(
        redis_url=_url(environ, "REDIS_URL", ("redis", "rediss", "unix")),
        mongo_url=_url(environ, "MONGO_URL", ("mongodb", "mongodb+srv")),
        host=environ.get("HOST") or "127.0.0.1",
        port=_port(environ, DEFAULT_PORT),
        redis_prefix=environ.get("REDIS_PREFIX", ""),
        mongo_database=environ.get("MONGO_DATABASE") or "cheeper",
        log_format=_one_of(environ, "LOG_FORMAT", LOG_FORMATS, "auto"),
        log_level=_one_of(environ, "LOG_LEVEL", LOG_LEVELS, "info"),
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingError(f"{name} is not set")
    return value


def _url(environ: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    url = _required(environ, name)
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in schemes:
        raise SettingError(f"{name} must be a URL that begins with {' or '.join(f'{each}://' for each in schemes)}")
    return url


def _port(environ: Mapping[str, str], default: int) -> int:
    text = environ.get("PORT") or str(default)
    if not (text.isascii() and text.isdecimal()) or int(text) > _HIGHEST_PORT:
        raise SettingError(f"PORT must be a number from 0 to {_HIGHEST_PORT}")
    return int(text)


def _one_of(environ: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = (environ.get(name) or default).lower()
    if value not in choices:
        raise SettingError(f"{name} must be one of {', '.join(choices)}")
    return value
