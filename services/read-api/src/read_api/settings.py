"""The settings of the process. Each field is a variable of the environment in upper case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from cheeper_runtime import settings
from cheeper_runtime.logs import LogFormat, LogLevel
from cheeper_runtime.rate_limits.settings import RateLimitSettings
from cheeper_runtime.servers.urls import MongoUrl, RedisUrl
from cheeper_runtime.settings import Port, SettingError
from cheeper_runtime.tokens.bearer import Mode, unsafe
from cheeper_runtime.tokens.issuers import Issuers

DEFAULT_PORT: Final = 8002

_AtOnce = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class Settings(RateLimitSettings, frozen=True, kw_only=True, rename=str.upper):
    """The settings. All Redis keys of the installation begin with `redis_prefix`.

    `redis_queries`, `mongo_queries`, `search_queries` and `after_waits` are the most that are in flight at once, of
    queries that read Redis only, of look-ups in MongoDB, of searches there, and of waits of `after`. A query that would
    wait for its turn for longer than `queue_milliseconds` is refused. `streams` are the most that are open at once, and
    `streams_per_author` those of a kind of one author. `auth` says whether callers show tokens, of
    `issuers`; without them, the gateway must listen on loopback, at `gateway_address`.
    """

    redis_url: RedisUrl
    mongo_url: MongoUrl
    auth: Mode = "open"
    issuers: Issuers = ()
    gateway_address: str = "127.0.0.1"
    host: str = "127.0.0.1"
    port: Port = DEFAULT_PORT
    redis_prefix: str = ""
    mongo_database: str = "cheeper"
    redis_queries: _AtOnce = 256
    mongo_queries: _AtOnce = 32
    search_queries: _AtOnce = 4
    after_waits: _AtOnce = 2_000
    streams: _AtOnce = 5_000
    streams_per_author: _AtOnce = 8
    queue_milliseconds: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 1_000
    log_format: LogFormat = "auto"
    log_level: LogLevel = "info"


def from_env(environ: Mapping[str, str]) -> Settings:
    """Return the settings. Raise SettingError."""
    found = settings.read(Settings, environ)
    if reason := unsafe(found.auth, found.issuers, found.gateway_address):
        raise SettingError(reason)
    return found
