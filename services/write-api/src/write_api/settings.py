"""What the environment says, read once at start-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from cheeper_contracts.messages import Command
from cheeper_runtime.logs import LogFormat, LogLevel
from write_api.bus.dispatcher import Transport
from write_api.db.url import sqlalchemy_url
from write_api.features import TRANSPORTS

Role = Literal["http", "worker", "relay", "process-manager", "migrate", "raise-epoch", "dead-letters"]

DEFAULT_PORTS: Final[dict[Role, int]] = {
    "http": 8001,
    "worker": 8011,
    "relay": 8012,
    "process-manager": 8014,
    "migrate": 0,
    "raise-epoch": 0,
    "dead-letters": 0,
}
LOG_FORMATS: Final = ("auto", "json", "console")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
_HIGHEST_PORT: Final = 65535
_LONGEST_DAYS: Final = 36_500


class SettingError(Exception):
    """A variable of the environment is missing or wrong. The text names it, without its value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a process of this service is told.

    `database_url` is a libpq URL; `transports` says of each command whether it is handled at once or sent to Kafka;
    `outbox_retention_days` for how long the relay keeps what it has sent, where not for ever.
    """

    role: Role
    database_url: str
    kafka_bootstrap_servers: str
    topic_prefix: str
    transports: dict[type[Command], Transport]
    host: str
    port: int
    outbox_retention_days: int | None
    log_format: LogFormat
    log_level: LogLevel


def from_env(environ: Mapping[str, str], role: Role) -> Settings:
    """The settings of a process with that role. Raises SettingError."""
    return Settings(
        role=role,
        database_url=_database_url(environ),
        kafka_bootstrap_servers=_required(environ, "KAFKA_BOOTSTRAP_SERVERS"),
        topic_prefix=environ.get("TOPIC_PREFIX", ""),
        transports=_transports(environ.get("COMMAND_TRANSPORTS", "")),
        host=environ.get("HOST") or "127.0.0.1",
        port=_port(environ, DEFAULT_PORTS[role]),
        outbox_retention_days=_days(environ, "OUTBOX_RETENTION_DAYS"),
        log_format=msgspec.convert(_one_of(environ, "LOG_FORMAT", LOG_FORMATS, "auto"), LogFormat),
        log_level=msgspec.convert(_one_of(environ, "LOG_LEVEL", LOG_LEVELS, "info"), LogLevel),
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingError(f"{name} is not set")
    return value


def _database_url(environ: Mapping[str, str]) -> str:
    url = _required(environ, "DATABASE_URL")
    try:
        sqlalchemy_url(url)
    except ValueError as error:
        raise SettingError(f"DATABASE_URL {error}") from None
    return url


def _transports(text: str) -> dict[type[Command], Transport]:
    commands = {command.__name__: command for command in TRANSPORTS}
    routing = dict(TRANSPORTS)
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, transport = pair.partition("=")
        if name not in commands or transport not in tuple(Transport):
            raise SettingError(
                "COMMAND_TRANSPORTS must be pairs such as SignUp=sync,Follow=async of "
                f"{', '.join(commands)} and {', '.join(Transport)}"
            )
        routing[commands[name]] = Transport(transport)
    return routing


def _port(environ: Mapping[str, str], default: int) -> int:
    text = environ.get("PORT") or str(default)
    if not (text.isascii() and text.isdecimal()) or int(text) > _HIGHEST_PORT:
        raise SettingError(f"PORT must be a number from 0 to {_HIGHEST_PORT}")
    return int(text)


def _days(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if text and (not text.isdecimal() or not 0 < int(text) <= _LONGEST_DAYS):
        raise SettingError(f"{name} must be a whole number from 1 to {_LONGEST_DAYS}, or empty to keep all")
    return int(text) if text else None


def _one_of(environ: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = (environ.get(name) or default).lower()
    if value not in choices:
        raise SettingError(f"{name} must be one of {', '.join(choices)}")
    return value
