"""The differences between views and write model, and their repairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

StoreName = Literal["redis", "mongo"]

NOTHING: Final = "nothing"
_SHOWN_FAULTS: Final = 3
_SHOWN_CHARACTERS: Final = 80


class Fault(msgspec.Struct, frozen=True, order=True):
    """One fault of a key or document. Both texts are short and complete in themselves, so that the same fault is
    recognized when the view has changed around it.
    """

    found: str
    expected: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A key or document that differs from the write model. `id` is that of its owner, as the view spells it."""

    store: StoreName
    view: str
    id: str
    faults: tuple[Fault, ...]

    @property
    def line(self) -> str:
        """The difference for people: the place, the found and the expected."""
        shown = "; ".join(f"is {fault.found}, should be {fault.expected}" for fault in self.faults[:_SHOWN_FAULTS])
        more = len(self.faults) - _SHOWN_FAULTS
        return f"{self.store} {self.view} {self.id}: {shown}" + (f"; and {more:,} more" if more > 0 else "")

    @property
    def place(self) -> tuple[str, str, str]:
        """The place, by which a later comparison recognizes the difference."""
        return self.store, self.view, self.id


class RedisRepair(msgspec.Struct, frozen=True):
    """Commands that write the expected value of `keys`, and run in one step."""

    keys: tuple[str | bytes, ...]
    commands: tuple[tuple[str | bytes, ...], ...]


class MongoRepair(msgspec.Struct, frozen=True):
    """The expected document, or None if it should not exist. `identifier` is any BSON value, as found."""

    collection: str
    identifier: Any
    document: dict[str, Any] | None


Repair = RedisRepair | MongoRepair


def short(value: object) -> str:
    """Return a value for a line: text in quotes, cut if it is long."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    return repr(cut) if isinstance(value, str) else cut


def of_members(found: Sequence[str], expected: Sequence[str]) -> tuple[Fault, ...]:
    """Return the faults of a list of names, each of which is expected once and in order."""
    if list(found) == list(expected):
        return ()
    lacking, surplus = set(expected) - set(found), set(found) - set(expected)
    faults = [Fault(f"without {name}", "with it") for name in sorted(lacking)]
    faults += [Fault(f"with {name}", "without it") for name in sorted(surplus)]
    if len(found) != len(set(found)):
        faults.append(Fault("with some twice", "with each once"))
    if not faults:
        faults.append(Fault("in another order", "in order"))
    return tuple(faults)


def of_fields(found: dict[str, Any] | None, expected: dict[str, Any] | None) -> tuple[Fault, ...]:
    """Return the faults of named values, in the order in which they are expected."""
    if found is None or expected is None:
        return () if found is expected else (Fault(_whether(found), _whether(expected)),)
    names: Iterable[str] = [*expected, *sorted(found.keys() - expected.keys())]
    return tuple(
        Fault(_field(name, found), _field(name, expected))
        for name in names
        if name not in found or name not in expected or not _same(found[name], expected[name])
    )


def is_uuid(text: str) -> bool:
    """Return whether the text is a UUID as the stores spell them."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _whether(value: object) -> str:
    return NOTHING if value is None else "there"


def _field(name: str, fields: dict[str, Any]) -> str:
    return f"{name} {short(fields[name])}" if name in fields else f"without {name}"


def _same(found: object, expected: object) -> bool:
    # 1.0 and true equal 1, and are no counts.
    return found == expected and all(isinstance(found, kind) == isinstance(expected, kind) for kind in (bool, float))
