"""The settings, read once from the environment.

HOST        address to listen on, 127.0.0.1
PORT        port to listen on, 8002
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

import msgspec

LOG_FORMATS: Final = ("auto", "json", "console")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
PORT_MAX: Final = 65_535


class SettingsError(ValueError):
    """A setting is missing or wrong; the text names the variable, and shows no value that may hold a secret."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set."""

    redis_url: str
    mongo_url: str
    host: str = "127.0.0.1"
    port: int = 8002
    redis_prefix: str = ""
    mongo_database: str = "cheeper"
    log_format: str = "auto"
    log_level: str = "info"


def from_env(environ: Mapping[str, str]) -> Settings:
    """The settings. Raises SettingsError."""
    return Settings(
        redis_url=_url(environ, "REDIS_URL", ("redis://", "rediss://", "unix://")),
        mongo_url=_url(environ, "MONGO_URL", ("mongodb://", "mongodb+srv://")),
        host=environ.get("HOST") or "127.0.0.1",
        port=_port(environ.get("PORT") or "8002"),
        redis_prefix=environ.get("REDIS_PREFIX", ""),
        mongo_database=environ.get("MONGO_DATABASE") or "cheeper",
        log_format=_one_of(environ, "LOG_FORMAT", LOG_FORMATS, "auto"),
        log_level=_one_of(environ, "LOG_LEVEL", LOG_LEVELS, "info"),
    )


def _url(environ: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    url = environ.get(name)
    if not url:
        raise SettingsError(f"{name} is not set")
    if not url.startswith(schemes):
        raise SettingsError(f"{name} does not begin with {' or '.join(schemes)}")
    return url


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= PORT_MAX):
        raise SettingsError(f"PORT is {text!r}, not a port number")
    return int(text)


def _one_of(environ: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = (environ.get(name) or default).lower()
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}, not one of {', '.join(allowed)}")
    return value
