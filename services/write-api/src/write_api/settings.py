"""The settings of a process, read once at start-up from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from cheeper_contracts.kafka.topics import COMMANDS
from cheeper_contracts.messages import Command
from cheeper_runtime import settings
from cheeper_runtime.logs import LogFormat, LogLevel
from cheeper_runtime.rate_limits.settings import RateLimitSettings
from cheeper_runtime.servers.files import password_file
from cheeper_runtime.servers.kafka import KafkaConnection
from cheeper_runtime.servers.urls import postgres_url
from cheeper_runtime.settings import Parser, Port, SettingError
from cheeper_runtime.tokens.bearer import Mode, unsafe
from cheeper_runtime.tokens.issuers import Issuers
from write_api.bus.authorisation import IsAllowed, by_declaration, everything
from write_api.bus.dispatcher import Transport
from write_api.db.url import sqlalchemy_url
from write_api.domain import values
from write_api.domain.quotas import FOLLOWS_MAX, Quotas
from write_api.features import FEATURES, TRANSPORTS
from write_api.kafka.access import passwords_folder

Role = Literal["http", "worker", "relay", "process-manager", "access", "migrate", "raise-epoch", "dead-letters"]

WITH_ADDRESS: Final = tuple(
    command
    for command in TRANSPORTS
    if any(values.RULES.get(field.name) is values.email for field in msgspec.structs.fields(command))
)
"""The commands that have an e-mail address."""
DEFAULT_PORTS: Final[dict[Role, int]] = {"http": 8001, "worker": 8011, "relay": 8012, "process-manager": 8014}


def _database_url(url: str) -> str:
    sqlalchemy_url(url)
    return postgres_url(url)


def _transports(text: str) -> dict[type[Command], Transport]:
    commands = {command.__name__: command for command in TRANSPORTS}
    routing = dict(TRANSPORTS)
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, transport = pair.partition("=")
        if name not in commands or transport not in tuple(Transport):
            raise ValueError(
                f"must be pairs such as SignUp=sync,Follow=async of {', '.join(commands)} and {', '.join(Transport)}"
            )
        routing[commands[name]] = Transport(transport)
    return routing


class Settings(RateLimitSettings, frozen=True, kw_only=True, rename=str.upper):
    """The settings of a process of this service.

    Of clients' commands, `database_commands` use the database at once, each over a connection of its own, and
    `broker_commands` wait for the broker. One that would wait for its turn for longer than `queue_milliseconds` is
    refused. So is an asynchronous one of a client while over `worker_lag_max` messages wait for the worker.

    `database_url` is a libpq URL, `transports` the way of each command to its handler. `email_addresses_in_kafka`
    must be "accepted" if a command with an address is asynchronous: its topic keeps it, as plain text. An author
    follows at most `follows_max` others, begins at most `follows_per_day` follows within 24 hours, and posts at most
    `posts_per_day` cheeps; None is no quota. `access` makes the owner of the database and the role of PostgreSQL that
    `migrate` logs in with, with the password in `migrate_password_file`. `migrate` makes those of the processes that
    run commands, of the relay and of the audit, with the passwords in `app_password_file`, `relay_password_file` and
    `audit_password_file`, unless these are None, and each role's user of Kafka, with the passwords in
    `kafka_passwords_folder`. The relay drops a month of the outbox after `outbox_retention_days`, and keeps everything
    if that is None. `auth` says whether callers show tokens, of `issuers`; without them, the gateway must listen on
    loopback, at `gateway_address`. While there are limits, one address signs up at most `sign_ups_burst` authors at
    once, and `sign_ups_per_hour` for ever.
    """

    role: Role
    database_url: Annotated[str, Parser(_database_url)]
    kafka: KafkaConnection
    topic_prefix: str = ""
    transports: Annotated[dict[type[Command], Transport], Parser(_transports)] = msgspec.field(
        name="COMMAND_TRANSPORTS", default_factory=lambda: dict(TRANSPORTS)
    )
    database_commands: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 10
    broker_commands: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1_000
    queue_milliseconds: Annotated[int, msgspec.Meta(ge=0, le=5_000)] = 1_000
    sign_ups_burst: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10
    sign_ups_per_hour: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 20
    worker_lag_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)] = 100_000
    email_addresses_in_kafka: Literal["refused", "accepted"] = "refused"
    auth: Mode = "open"
    issuers: Issuers = ()
    gateway_address: str = "127.0.0.1"
    host: str = "127.0.0.1"
    port: Port = 0
    follows_max: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = FOLLOWS_MAX
    app_password_file: Annotated[Path | None, Parser(password_file)] = None
    relay_password_file: Annotated[Path | None, Parser(password_file)] = None
    audit_password_file: Annotated[Path | None, Parser(password_file)] = None
    migrate_password_file: Annotated[Path | None, Parser(password_file)] = None
    follows_per_day: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    posts_per_day: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    kafka_passwords_folder: Annotated[Path | None, Parser(passwords_folder)] = None
    outbox_retention_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    log_format: LogFormat = "auto"
    log_level: LogLevel = "info"

    @property
    def password_files(self) -> Mapping[str, Path]:
        """The files with the passwords of PostgreSQL, by role of `db.schema.roles.RIGHTS`."""
        files = {"app": self.app_password_file, "relay": self.relay_password_file, "audit": self.audit_password_file}
        return {role: file for role, file in files.items() if file is not None}

    @property
    def quotas(self) -> Quotas:
        """The quotas of an author."""
        return Quotas(follows=self.follows_max, follows_per_day=self.follows_per_day, posts_per_day=self.posts_per_day)

    @property
    def is_allowed(self) -> IsAllowed:
        """The function that decides whether an actor may send a command."""
        return everything if self.auth == "open" else by_declaration

    def __post_init__(self) -> None:
        """Raise ValueError if users would be made that nobody could log in as."""
        if self.kafka_passwords_folder is not None and not self.kafka.uses_scram:
            raise ValueError(
                "KAFKA_PASSWORDS_FOLDER has no effect unless KAFKA_SECURITY_PROTOCOL is sasl_ssl or sasl_plaintext, "
                "and KAFKA_SASL_MECHANISM is one of scram"
            )


def from_env(environ: Mapping[str, str], role: Role) -> Settings:
    """Return the settings of a process with that role. Raise SettingError."""
    found = settings.read(Settings, environ, defaults={"port": DEFAULT_PORTS.get(role, 0)}, role=role)
    if role == "access" and found.migrate_password_file is None:
        raise SettingError("MIGRATE_PASSWORD_FILE is not set: the role that migrate logs in with needs a password")
    if reason := unsafe(found.auth, found.issuers, found.gateway_address):
        raise SettingError(reason)
    exposed = [command.__name__ for command in WITH_ADDRESS if found.transports[command] is Transport.ASYNC]
    if exposed and found.email_addresses_in_kafka == "refused":
        raise SettingError(
            f"COMMAND_TRANSPORTS makes {' and '.join(exposed)} asynchronous, so the topic {COMMANDS.name} would have"
            " e-mail addresses in plain text for as long as it keeps its messages: make them sync, or set"
            " EMAIL_ADDRESSES_IN_KAFKA=accepted if you accept that"
        )
    return found


def sends_any(settings: Settings) -> bool:
    """Return True if this role sends commands: the HTTP role those of clients, process managers the rest."""
    from_clients = settings.role == "http"
    own = (feature.command for feature in FEATURES if (feature.endpoint is not None) == from_clients)
    return any(settings.transports[command] is Transport.ASYNC for command in own)
