"""The settings of the process. Each field is a variable of the environment in upper case."""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_runtime.logs import LogFormat, LogLevel
from cheeper_runtime.settings import MongoUrl, Port, RedisUrl

DEFAULT_PORT: Final = 8002


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The settings. All Redis keys of the installation begin with `redis_prefix`."""

    redis_url: RedisUrl
    mongo_url: MongoUrl
    host: str = "127.0.0.1"
    port: Port = DEFAULT_PORT
    redis_prefix: str = ""
    mongo_database: str = "cheeper"
    log_format: LogFormat = "auto"
    log_level: LogLevel = "info"
