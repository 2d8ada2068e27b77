"""The settings of a process, read once at start-up from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cheeper_runtime import settings
from cheeper_runtime.logs import LogFormat, LogLevel
from cheeper_runtime.rate_limits.callers import LOOPBACK, Networks
from cheeper_runtime.servers.files import password_file
from cheeper_runtime.servers.urls import PostgresUrl, url
from cheeper_runtime.settings import Parser, Port, SettingError
from identity.external.configured import Providers
from identity.mail import mailer_of

Role = Literal["http", "migrate", "rotate-keys", "roles"]


def _mail_url(text: str) -> str:
    mailer_of(text, "")
    return text


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The settings. `issuer_url` is the `iss` of the tokens, and the URL at which clients reach the gateway.
    `app_password_file` has the password of the role that `migrate` makes.
    """

    role: Role
    database_url: PostgresUrl
    issuer_url: Annotated[str, url("http", "https")] = "http://127.0.0.1:8000"
    mail_url: Annotated[str | None, Parser(_mail_url)] = None
    mail_from: str = "cheeper@localhost"
    sign_in_providers: Providers = ()
    gateway_networks: Networks = LOOPBACK
    password_hashes: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    app_password_file: Annotated[Path | None, Parser(password_file)] = None
    host: str = "127.0.0.1"
    port: Port = 8015
    log_level: LogLevel = "info"
    log_format: LogFormat = "auto"


def from_env(environ: Mapping[str, str], role: Role) -> Settings:
    """Return the settings of a role. Raise SettingError."""
    found = settings.read(Settings, environ, role=role)
    if role == "http" and not found.mail_url:
        raise SettingError("MAIL_URL is not set: codes for new accounts and passwords are sent by mail")
    return found
