"""The settings of the local stack, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cheeper_local.errors import LocalError

CLONE: Final = Path(__file__).resolve().parents[4]
ROLES: Final = (
    "write-api",
    "worker",
    "relay",
    "process-manager",
    "projector",
    "read-api",
    "identity",
    "inspector",
    "operations",
)
_LOOPBACK: Final = ("", "127.0.0.1", "::1", "localhost")
_MODES: Final = ("open", "tokens")
_SWITCH: Final = ("on", "off")
_HIGHEST_PORT: Final = 65_535
_MOST_REPLICAS: Final = 8
_FASTEST: Final = 60


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The `port` of the gateway, the `data` folder, the wanted `broker`, `step` for a stack without the processes that
    the demo runs one message at a time, and the number of `replicas` of each role. `auth` is the mode of the API.
    `shares_limits` is true for a stack with a server in which the replicas share their rate limits, and `own_issuer`
    for one whose tokens are those of identity, since there are no ISSUERS. `inspector` is true for one that has it, and
    operations with it.
    `observe` is 0 for a stack without Prometheus, 1 for one with it, and a higher number for one whose alerts are
    faster by that factor.
    """

    port: int
    data: Path
    broker: str | None
    step: bool
    replicas: Mapping[str, int]
    auth: str = "open"
    shares_limits: bool = False
    own_issuer: bool = False
    inspector: bool = True
    observe: int = 0

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
    auth = _mode(environ)
    return Settings(
        port=_number(environ, "PORT", 8000, _HIGHEST_PORT),
        data=Path(environ.get("DATA") or CLONE / ".cheeper").absolute(),
        broker=environ.get("BROKER"),
        step=environ.get("STEP", "") not in ("", "0"),
        auth=auth,
        own_issuer=auth == "tokens" and not environ.get("ISSUERS"),
        inspector=_inspector(environ),
        shares_limits=_shares_limits(environ),
        observe=_observe(environ),
        replicas={role: _number(environ, _replicas_variable(role), 1, _MOST_REPLICAS) for role in ROLES},
    )


def _mode(environ: Mapping[str, str]) -> str:
    mode = (environ.get("AUTH") or "open").lower()
    if mode not in _MODES:
        raise LocalError(f"AUTH is {mode!r}, but must be one of {', '.join(_MODES)}.")
    return mode


def _inspector(environ: Mapping[str, str]) -> bool:
    value = (environ.get("INSPECTOR") or "on").lower()
    if value not in _SWITCH:
        raise LocalError(f"INSPECTOR is {value!r}, but must be one of {', '.join(_SWITCH)}.")
    return value == "on"


def _shares_limits(environ: Mapping[str, str]) -> bool:
    """Return whether there are limits, which no server that was given has."""
    limits = (environ.get("LIMITS") or "auto").lower()
    return (limits == "on" or (limits == "auto" and _mode(environ) == "tokens")) and not environ.get("LIMITS_URL")


def _observe(environ: Mapping[str, str]) -> int:
    return 0 if environ.get("OBSERVE", "") in ("", "0") else _number(environ, "OBSERVE", 1, _FASTEST)


def _replicas_variable(role: str) -> str:
    return f"{role.upper().replace('-', '_')}_REPLICAS"


def _number(environ: Mapping[str, str], name: str, default: int, highest: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= highest):
        raise LocalError(f"{name} is {text!r}, but must be a number from 1 to {highest}.")
    return int(text)
