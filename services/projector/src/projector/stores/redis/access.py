"""The users of Redis, as a file that the server reads at its start and with `ACL LOAD` (ACL files of Redis 7, Valkey).

Redis keeps users in such a file alone, and does not send them to its replicas: each server of a set gets the same file.
The server also checks what a script does against the rights of the user who called it.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from cheeper_contracts.views import stem
from cheeper_contracts.views.streams import STREAM_OF, all_streams
from cheeper_runtime.rate_limits.valkey import ACL_RULES as LIMITS_RULES
from cheeper_runtime.servers.files import password_of
from projector.access import ADMIN, EXPORTER, LIMITS, WRITES, user_of
from projector.stores.redis.generations import escaped

NAMES: Final = "cheeper"
_NOBODY: Final = "user default on nopass resetkeys resetchannels -@all +ping"
"""Whoever does not log in learns whether the server is up, as health checks do, and nothing else."""
_CONNECTION: Final = "+@connection +time -@dangerous -@scripting"
_COMMANDS: Final = {
    "projector": f"+@read +@write +@transaction {_CONNECTION} +evalsha +script|load +script|exists "
    "+publish +pubsub|numsub +info",
    # A published message would be believed, and the names of keys are of no use to it.
    "read-api": f"+@read {_CONNECTION} -scan -randomkey -dbsize +evalsha_ro +script|load +subscribe +unsubscribe",
    "audit": f"+@read {_CONNECTION}",
}


def acl_file(prefix: str, passwords: Path) -> str:
    """Return the file of the server of views, with the users of the installation whose keys begin with `prefix`."""
    roles = {role: _rules(role, prefix) for role in WRITES}
    return _file(passwords, {ADMIN: "~* &* +@all", EXPORTER: "+info", **roles}, prefix)


def limits_acl_file(passwords: Path) -> str:
    """Return the file of the server of what callers have used."""
    return _file(passwords, {ADMIN: "~* &* +@all", LIMITS: LIMITS_RULES})


def _rules(role: str, prefix: str) -> str:
    keys = "~" if WRITES[role] else "%R~"
    first = escaped(prefix)
    of_keys = f"{keys}{first}{stem('')}* {keys}{first}g[0-9]*.{stem('')}*"
    of_channels = f"&{escaped(all_streams(prefix))} &{escaped(stem(prefix) + STREAM_OF)}*"
    return f"{of_keys} {'' if role == 'audit' else of_channels} {_COMMANDS[role]}"


def _file(passwords: Path, rules: dict[str, str], prefix: str = "") -> str:
    lines = [
        f"user {user_of(role, prefix + NAMES)} on #{_digest(passwords / role)} resetkeys resetchannels -@all {rule}"
        for role, rule in rules.items()
    ]
    return "\n".join((_NOBODY, *(" ".join(line.split()) for line in lines), ""))


def _digest(file: Path) -> str:
    """Return what the server keeps instead of the password; it must be long and random, as nothing slows guesses."""
    return sha256(password_of(file).encode()).hexdigest()
