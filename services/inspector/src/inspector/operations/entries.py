"""The audit trail as the actions see it: an entry for each one, begun before it, ended after it, and never changed."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class KeyTakenError(Exception):
    """Another request has the same key."""


class BusyError(Exception):
    """Another action runs, and there is one at a time."""


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An action that is to begin: who wants what, and why. The caller is None where nobody shows who they are."""

    action_id: str
    caller: str | None
    action: str
    parameters: dict[str, Any]
    reason: str


class Entry(NewEntry, frozen=True, kw_only=True):
    """An action in the trail, with the last lines of its output once it has ended. Times are in microseconds."""

    number: int
    began_at: int
    ended_at: int | None = None
    outcome: str | None = None
    lines: tuple[str, ...] = ()


class Turn(Protocol):
    """The right to act, which one process has at a time."""

    async def release(self) -> None:
        """Give it up."""
        ...


class Trail(Protocol):
    """The trail. Every method raises StoreUnavailableError."""

    async def turn(self) -> Turn:
        """Take the right to act, and end the entries whose process has ended. Raise BusyError."""
        ...

    async def begin(self, entry: NewEntry) -> Entry:
        """Add an entry, durably. Raise KeyTakenError if its id exists."""
        ...

    async def end(self, action_id: str, outcome: str, lines: tuple[str, ...]) -> None:
        """Add the outcome of an entry, unless it has one."""
        ...

    async def one(self, action_id: str) -> Entry | None:
        """Return the entry with that id."""
        ...

    async def before(self, number: int | None, most: int) -> tuple[Entry, ...]:
        """Return so many entries at most, the newest first, of those before that number if there is one."""
        ...
