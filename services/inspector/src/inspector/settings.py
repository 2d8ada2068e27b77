"""The settings, read once at start-up from the environment. The servers' variables are those of the services."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from cheeper_runtime import settings
from cheeper_runtime.logs import LogFormat, LogLevel
from cheeper_runtime.servers.files import password_file
from cheeper_runtime.servers.kafka import KafkaConnection
from cheeper_runtime.servers.urls import MongoUrl, PostgresUrl, RedisUrl
from cheeper_runtime.settings import Parser, Port, SettingError
from cheeper_runtime.tokens.bearer import Mode, unsafe
from cheeper_runtime.tokens.issuers import Issuers
from inspector.system.addresses import Addresses

DEFAULT_PORT: Final = 8016
OPERATIONS_PORT: Final = 8017


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The settings. Without `inspector=on` the process does not start. `traces` are the most that are made at once.

    `processes` are the addresses of those whose readiness the map of the system shows.
    """

    inspector: Literal["on", "off"] = "off"
    database_url: PostgresUrl
    redis_url: RedisUrl
    redis_prefix: str = ""
    mongo_url: MongoUrl
    mongo_database: str = "cheeper"
    kafka: KafkaConnection
    topic_prefix: str = ""
    auth: Mode = "open"
    issuers: Issuers = ()
    gateway_address: str = "127.0.0.1"
    traces: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    processes: Addresses = {}
    host: str = "127.0.0.1"
    port: Port = DEFAULT_PORT
    log_level: LogLevel = "info"
    log_format: LogFormat = "auto"


class OperationsSettings(Settings, frozen=True, kw_only=True, rename=str.upper):
    """The settings of operations. `trail_url` is the PostgreSQL of the trail, as the role that may add to it. The tools
    are given all variables of the process.
    """

    trail_url: PostgresUrl
    port: Port = OPERATIONS_PORT


class MigrateSettings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The settings of `migrate`: an owner's URL, and the file with the password of the trail's role."""

    database_url: PostgresUrl
    trail_password_file: Annotated[Path | None, Parser(password_file)] = None


_S = TypeVar("_S", bound=Settings)


def from_env(environ: Mapping[str, str], kind: type[_S]) -> _S:
    """Return the settings of a process that serves. Raise SettingError."""
    found = settings.read(kind, environ)
    if found.inspector != "on":
        raise SettingError(
            "INSPECTOR is not on: the inspector shows what every author wrote, so it runs on request alone"
        )
    if reason := unsafe(found.auth, found.issuers, found.gateway_address):
        raise SettingError(reason)
    return found


def of_migrate(environ: Mapping[str, str]) -> MigrateSettings:
    """Return the settings of `migrate`. Raise SettingError."""
    return settings.read(MigrateSettings, environ)
