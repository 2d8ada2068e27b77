"""The server-side functions: put together from the .lua files beside this module, sent by EVALSHA.

Key names are declared once, in `cheeper_contracts.views`; the scripts get them as a table `NAME` in front. A script
is known by the digest of its text, so two versions of the projector run beside each other, and a Redis that lost its
scripts gets them again with the next call.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from cheeper_contracts import views

_PARTS: Final = {
    "apply": ("guard", "entries", "timelines", "readers", "writes", "apply"),
    "unpark": ("guard", "entries", "timelines", "readers", "writes", "unpark"),
    "restate": ("restate",),
    "slice": ("guard", "entries", "timelines", "readers", "refills", "slice"),
    "switch": ("switch",),
}
_KEY: Final = "local function key(name, id) return ARGV[1] .. name .. ':' .. id end"


def source(name: str) -> str:
    """The whole text of a server-side function: key names, shared parts, then its own file."""
    return "\n".join([views.lua_prelude(), _KEY, *(_text(part) for part in _PARTS[name])])


def _text(name: str) -> str:
    return (files(__package__) / "lua" / f"{name}.lua").read_text(encoding="utf-8")
