"""The settings of the local stack, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cheeper_local.errors import LocalError

CLONE: Final = Path(__file__).resolve().parents[4]
ROLES: Final = ("write-api", "worker", "relay", "process-manager", "projector", "read-api")
_LOOPBACK: Final = ("", "127.0.0.1", "::1", "localhost")
_MODES: Final = ("open", "tokens")
_HIGHEST_PORT: Final = 65_535
_MOST_REPLICAS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The `port` of the gateway, the `data` folder, the wanted `broker`, `step` for a stack without the processes that
    the demo runs one message at a time, and the number of `replicas` of each role. `auth` is the mode of the API.
    """

    port: int
    data: Path
    broker: str | None
    step: bool
    replicas: Mapping[str, int]
    auth: str = "open"

    @property
    def gateway(self) -> str:
        """The URL for clients."""
        return f"http://127.0.0.1:{self.port}"


def from_env(environ: Mapping[str, str]) -> Settings:
    """Read PORT, DATA, BROKER, STEP and WRITE_API_REPLICAS and the like. Raises LocalError."""
    if environ.get("GATEWAY_ADDRESS", "") not in _LOOPBACK:
        raise LocalError(
            "GATEWAY_ADDRESS is another address than loopback, but the local stack is for this machine alone: leave it"
            " out, or use docker compose with AUTH=tokens and ISSUERS."
        )
    return Settings(
        port=_number(environ, "PORT", 8000, _HIGHEST_PORT),
        data=Path(environ.get("DATA") or CLONE / ".cheeper").absolute(),
        broker=environ.get("BROKER"),
        step=environ.get("STEP", "") not in ("", "0"),
        auth=_mode(environ),
        replicas={role: _number(environ, _replicas_variable(role), 1, _MOST_REPLICAS) for role in ROLES},
    )


def _mode(environ: Mapping[str, str]) -> str:
    mode = (environ.get("AUTH") or "open").lower()
    if mode not in _MODES:
        raise LocalError(f"AUTH is {mode!r}, but must be one of {', '.join(_MODES)}.")
    return mode


def _replicas_variable(role: str) -> str:
    return f"{role.upper().replace('-', '_')}_REPLICAS"


def _number(environ: Mapping[str, str], name: str, default: int, highest: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= highest):
        raise LocalError(f"{name} is {text!r}, but must be a number from 1 to {highest}.")
    return int(text)
