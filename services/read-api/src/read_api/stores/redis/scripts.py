"""Read-only Lua scripts on Redis.

A script is named by its content, so versions of this program live side by side. Each new connection brings them all,
and a server that was wiped meanwhile is given a script again by whoever misses it. What it knows of
`cheeper_contracts` is put before it as locals.

Each call finds out on the server which generation is live, and reads that one: nothing here remembers it, so a switch
is one step for all readers.
"""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

from redis.exceptions import ResponseError

from cheeper_contracts import generations, views
from read_api.stores.redis.connection import Command, Connection

_GENERATIONS: Final = {"LIVE": generations.LIVE, "FIRST": generations.FIRST, "TAG": views.stem("")}


class Script:
    """One script of `lua/`, run by EVALSHA_RO."""

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
