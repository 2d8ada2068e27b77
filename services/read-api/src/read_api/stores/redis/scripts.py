"""Read-only Lua scripts on Redis.

The text of a script is, in this order: the names of `cheeper_contracts.views.generations` as locals, the Lua of
`cheeper_contracts.views`, `lua/common.lua`, and its own file. The head of each file says which of these it needs.

A script is named by its content, so versions of this program run side by side. A new connection loads all scripts, and
a server that was wiped meanwhile gets a script again when a call misses it. Each call reads the live generation on the
server. Nothing here remembers it, so a switch is one step for all readers.
"""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

from redis.exceptions import ResponseError

from cheeper_contracts import views
from cheeper_contracts.views import generations
from read_api.stores.redis.connection import Command, Connection

_GENERATIONS: Final = {"LIVE": generations.LIVE, "FIRST": generations.FIRST, "TAG": views.stem("")}


class Script:
    """A script of `lua/`, run by EVALSHA_RO."""

    def __init__(self, name: str) -> None:
        known = "".join(f"local {local} = '{value}'\n" for local, value in _GENERATIONS.items())
        self._text = f"#!lua flags=no-writes\n{known}{views.lua_prelude()}{_lua('common')}{_lua(name)}"
        self._digest = sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    @property
    def loading(self) -> Command:
        """The command that loads the script into a server."""
        return ("SCRIPT", "LOAD", self._text)

    async def __call__(self, connection: Connection, prefix: str, *arguments: str | bytes | int) -> Any:
        """Return the script's result for the installation with that prefix. Raise what `Connection.execute` raises."""
        command = ("EVALSHA_RO", self._digest, 1, generations.registry_key(prefix), prefix, *arguments)
        try:
            return await connection.execute(*command)
        except ResponseError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
        await connection.execute(*self.loading)
        return await connection.execute(*command)


def _lua(name: str) -> str:
    return (files(__package__) / "lua" / f"{name}.lua").read_text(encoding="utf-8")
