"""The settings, read from the environment at start-up. The variables are those of the services."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cheeper_runtime import settings
from cheeper_runtime.servers.urls import MongoUrl, PostgresUrl, RedisUrl


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The servers of the write model and of the views."""

    database_url: PostgresUrl
    redis_url: RedisUrl
    redis_prefix: str = ""
    mongo_url: MongoUrl
    mongo_database: str = "cheeper"


def from_env(environ: Mapping[str, str]) -> Settings:
    """Return the settings. Raise SettingError."""
    return settings.read(Settings, environ)
