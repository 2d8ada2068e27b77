"""Read-only Lua scripts on Redis.

A script is named by its content, so versions of this program live side by side and a server that was wiped is given the
script again by whoever misses it. Its key patterns are those of `cheeper_contracts.views`, put before it as locals.
"""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from cheeper_contracts import views

_PATTERNS: Final = {
    "AUTHOR_COUNTERS": views.AUTHOR_COUNTERS,
    "FOLLOWING": views.FOLLOWING,
    "CHEEP_RECORD": views.CHEEP_RECORD,
    "AUTHOR_CHEEPS": views.AUTHOR_CHEEPS,
    "TIMELINE": views.TIMELINE,
    "TIMELINE_FLOOR": views.TIMELINE_FLOOR,
    "COMMAND_RECORD": views.COMMAND_RECORD,
    "TASKS": views.TASKS,
}


class Script:
    """One script of `lua/`, run by EVALSHA_RO."""

    def __init__(self, name: str) -> None:
        prelude = "".join(f"local {local} = '{pattern.name}'\n" for local, pattern in _PATTERNS.items())
        self._text = f"#!lua flags=no-writes\n{prelude}{_lua('common')}{_lua(name)}"
        self._digest = sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, client: Redis, key: str, *arguments: str | bytes | int) -> Any:
        """What the script returns. `key` says which shard it runs on. Raises what redis-py raises."""
        try:
            return await client.evalsha_ro(self._digest, 1, key, *arguments)
        except NoScriptError:
            await client.script_load(self._text)
            return await client.evalsha_ro(self._digest, 1, key, *arguments)


def _lua(name: str) -> str:
    return (files("read_api.stores") / "lua" / f"{name}.lua").read_text(encoding="utf-8")
