"""The server-side functions, made of the .lua files beside this module and sent by EVALSHA.

`cheeper_contracts.views` declares key names and packed entries, and its Lua comes first. Each file's head names what it
needs of the files before it and what it gives to those behind it. A script is known by the digest of its text, so two
versions of the projector run beside each other, and a Redis that lost its scripts gets them again with the next call.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import msgspec

from cheeper_contracts import views
from cheeper_contracts.views.generations import FIRST, registry_key
from cheeper_runtime.traces.tracer import Tracer
from projector.messages.decoding import DecodedMessage

WORK_MAX: Final = 1_000
"""The work of one call on timelines: 1 is an entry put in front of a list, so that readers wait some 5 ms at most."""

MESSAGES_MAX: Final = 64
"""Messages that one call applies, for the same reason."""

REFILL_AUTHORS: Final = 100
"""Followed authors that one step of a refill reads, for the same reason."""

PARTS: Final = {
    "apply": ("guard", "entries", "timelines", "streams", "readers", "writes", "apply"),
    "unpark": ("guard", "entries", "timelines", "streams", "readers", "writes", "unpark"),
    "restate": ("restate",),
    "slice": ("guard", "entries", "timelines", "streams", "readers", "refills", "slice"),
    "switch": ("switch",),
}
"""The files of each function, in the order in which they are joined."""

_KEY: Final = "local function key(name, id) return ARGV[1] .. name .. ':' .. id end"


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the server-side functions. A timeline holds at most `cap` entries, two at least.

    `prefix` is that of the generation's views, and `installation` that of the first generation's, if it is another one.
    """

    prefix: str
    inline_max: int
    slice_size: int
    cap: int = views.TIMELINE_ENTRIES
    work_max: int = WORK_MAX
    refill_authors: int = REFILL_AUTHORS
    generation: int = FIRST
    installation: str | None = None

    @property
    def registry(self) -> str:
        """The key of the registry of generations."""
        return registry_key(self.prefix if self.installation is None else self.installation)


def source(name: str) -> str:
    """Return the whole text of a server-side function: the Lua of contracts, shared files, then its own file."""
    return "\n".join([views.lua_prelude(), _KEY, *(text(part) for part in PARTS[name])])


def text(name: str) -> str:
    """Return the text of a Lua file."""
    return (files(__package__) / "lua" / f"{name}.lua").read_text(encoding="utf-8")


def cause_of(tracer: Tracer | None, message: DecodedMessage) -> tuple[str, ...]:
    """Return the message's traceparent for a function, nothing if the message is not traced."""
    envelope = message.envelope
    if tracer is None or envelope is None or envelope.traceparent is None:
        return ()
    return (envelope.traceparent,) if tracer.is_traced(envelope.traceparent, envelope.time) else ()
