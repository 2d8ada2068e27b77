"""The settings of the process. Each field is a variable of the environment in upper case."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from cheeper_runtime.logs import LogFormat, LogLevel
from cheeper_runtime.settings import MongoUrl, Port, RedisUrl

DEFAULT_PORT: Final = 8002

_AtOnce = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The settings. All Redis keys of the installation begin with `redis_prefix`.

    `redis_queries`, `mongo_queries`, `search_queries` and `after_waits` are the most that are in flight at once, of
    queries that read Redis only, of look-ups in MongoDB, of searches there, and of waits of `after`. A query that would
    wait for its turn for longer than `queue_milliseconds` is refused.
    """

    redis_url: RedisUrl
    mongo_url: MongoUrl
    host: str = "127.0.0.1"
    port: Port = DEFAULT_PORT
    redis_prefix: str = ""
    mongo_database: str = "cheeper"
    redis_queries: _AtOnce = 256
    mongo_queries: _AtOnce = 32
    search_queries: _AtOnce = 4
    after_waits: _AtOnce = 2_000
    queue_milliseconds: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 1_000
    log_format: LogFormat = "auto"
    log_level: LogLevel = "info"
