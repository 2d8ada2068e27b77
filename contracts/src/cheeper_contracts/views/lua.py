"""The declarations of the views for server-side functions, which projector and read-api put before their own Lua."""

from __future__ import annotations

from importlib.resources import files

from cheeper_contracts.views import redis
from cheeper_contracts.views.streams import lua_channels


def lua_prelude() -> str:
    """Return Lua that declares the table NAME, from a key pattern's constant to its name, the table STREAM of
    `lua_channels`, and all of entries.lua.
    """
    patterns = {label: each for label, each in vars(redis).items() if isinstance(each, redis.KeyPattern)}
    names = ", ".join(f"{label} = '{pattern.name}'" for label, pattern in patterns.items())
    entries = (files(__package__) / "entries.lua").read_text(encoding="utf-8")
    return f"local NAME = {{{names}}}\n{lua_channels()}{entries}"
