"""What the environment says, read once at start-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

LOG_FORMATS: Final = ("auto", "json", "console")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
DEFAULT_PORT: Final = 8013
_HIGHEST_PORT: Final = 65535
_MOST_FOLLOWERS: Final = 100_000


class SettingError(Exception):
    """A variable of the environment is missing or wrong. The text names it, without its value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a process of this service is told.

    Fan-out to at most `fanout_inline_max` followers happens with the event; to more it is a task, served
    `fanout_slice` entries at a time.
    """

    kafka_bootstrap_servers: str
    topic_prefix: str
    redis_url: str
    redis_prefix: str
    mongo_url: str
    mongo_database: str
    fanout_inline_max: int
    fanout_slice: int
    host: str
    port: int
    log_format: str
    log_level: str


def from_env(environ: Mapping[str, str]) -> Settings:
    """The settings of a process. Raises SettingError."""
    return Settings(
        kafka_bootstrap_servers=_required(environ, "KAFKA_BOOTSTRAP_SERVERS"),
        topic_prefix=environ.get("TOPIC_PREFIX", ""),
        redis_url=_url(environ, "REDIS_URL", ("redis", "rediss", "unix")),
        redis_prefix=environ.get("REDIS_PREFIX", ""),
        mongo_url=_url(environ, "MONGO_URL", ("mongodb", "mongodb+srv")),
        mongo_database=environ.get("MONGO_DATABASE") or "cheeper",
        fanout_inline_max=_number(environ, "FANOUT_INLINE_MAX", 1_000, lowest=0, highest=_MOST_FOLLOWERS),
        fanout_slice=_number(environ, "FANOUT_SLICE", 1_000, lowest=1, highest=_MOST_FOLLOWERS),
        host=environ.get("HOST") or "127.0.0.1",
        port=_number(environ, "PORT", DEFAULT_PORT, lowest=0, highest=_HIGHEST_PORT),
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


def _number(environ: Mapping[str, str], name: str, default: int, *, lowest: int, highest: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal()) or not lowest <= int(text) <= highest:
        raise SettingError(f"{name} must be a number from {lowest} to {highest}")
    return int(text)


def _one_of(environ: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = (environ.get(name) or default).lower()
    if value not in choices:
        raise SettingError(f"{name} must be one of {', '.join(choices)}")
    return value
