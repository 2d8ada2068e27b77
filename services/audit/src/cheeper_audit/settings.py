"""What the environment says, read once at start-up."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec


class SettingError(Exception):
    """A variable of the environment is missing or wrong. The text names it, without its value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the write model and the views are: the variables, and the meanings, that the services have."""

    database_url: str
    redis_url: str
    redis_prefix: str
    mongo_url: str
    mongo_database: str


def from_env(environ: Mapping[str, str]) -> Settings:
    """The settings of a process. Raises SettingError."""
    return Settings(
        database_url=_url(environ, "DATABASE_URL", ("postgresql", "postgres")),
        redis_url=_url(environ, "REDIS_URL", ("redis", "rediss", "unix")),
        redis_prefix=environ.get("REDIS_PREFIX", ""),
        mongo_url=_url(environ, "MONGO_URL", ("mongodb", "mongodb+srv")),
        mongo_database=environ.get("MONGO_DATABASE") or "cheeper",
    )


def _url(environ: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    url = environ.get(name, "")
    if not url:
        raise SettingError(f"{name} is not set")
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in schemes:
        raise SettingError(f"{name} must be a URL that begins with {' or '.join(f'{each}://' for each in schemes)}")
    return url
