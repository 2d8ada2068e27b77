"""The settings of a process, read from the environment once at start-up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from cheeper_runtime import settings
from cheeper_runtime.logs import LogFormat, LogLevel
from cheeper_runtime.servers.kafka import KafkaConnection
from cheeper_runtime.servers.urls import MongoUrl, RedisUrl
from cheeper_runtime.settings import Parser, Port
from projector.access import passwords_folder


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The variables of the environment.

    Fan-out to at most `fanout_inline_max` followers happens with the event. To more followers it is a task, which is
    served `fanout_slice` entries at a time. Both are bounded by the work of one script in Redis (`scripts.WORK_MAX`),
    which reads so many followers in one call. `access` makes users with the passwords in `store_passwords_folder`.
    """

    kafka: KafkaConnection
    topic_prefix: str = ""
    redis_url: RedisUrl
    redis_prefix: str = ""
    mongo_url: MongoUrl
    mongo_database: str = "cheeper"
    store_passwords_folder: Annotated[Path | None, Parser(passwords_folder)] = None
    fanout_inline_max: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 1_000
    fanout_slice: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1_000
    host: str = "127.0.0.1"
    port: Port = 8013
    log_format: LogFormat = "auto"
    log_level: LogLevel = "info"


def from_env(environ: Mapping[str, str]) -> Settings:
    """Return the settings of a process. Raise SettingError."""
    return settings.read(Settings, environ)
