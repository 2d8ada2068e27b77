"""What differs, and what would mend it."""

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
    """One thing that is otherwise than it should be. Both texts are short and complete in themselves, so that the same
    fault is known again when the view has moved on around it.
    """

    found: str
    expected: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A key or document that differs from the write model. `id` is what it belongs to, as the view spells it."""

    store: StoreName
    view: str
    id: str
    faults: tuple[Fault, ...]

    @property
    def line(self) -> str:
        """The difference for people: where, then what is and what should be."""
        shown = "; ".join(f"is {fault.found}, should be {fault.expected}" for fault in self.faults[:_SHOWN_FAULTS])
        more = len(self.faults) - _SHOWN_FAULTS
        return f"{self.store} {self.view} {self.id}: {shown}" + (f"; and {more:,} more" if more > 0 else "")

    @property
    def place(self) -> tuple[str, str, str]:
        """By which it is known again in a later look."""
        return self.store, self.view, self.id


class RedisMend(msgspec.Struct, frozen=True):
    """Commands that write the expected value of `keys`, to be run in one step."""

    keys: tuple[str | bytes, ...]
    commands: tuple[tuple[str | bytes, ...], ...]


class MongoMend(msgspec.Struct, frozen=True):
    """The document that should be there, or none. `identifier` is any BSON value, as found."""

    collection: str
    identifier: Any
    document: dict[str, Any] | None


Mend = RedisMend | MongoMend


def short(value: object) -> str:
    """A value for a line: text in quotes, cut where it is long."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    return repr(cut) if isinstance(value, str) else cut


def of_members(found: Sequence[str], expected: Sequence[str]) -> tuple[Fault, ...]:
    """Where a list of names, each once and in order, is another one."""
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
    """Where named values are others. Fields stand in the order in which they are expected."""
    if found is None or expected is None:
        return () if found is expected else (Fault(_whether(found), _whether(expected)),)
    names: Iterable[str] = [*expected, *sorted(found.keys() - expected.keys())]
    return tuple(
        Fault(_field(name, found), _field(name, expected))
        for name in names
        if name not in found or name not in expected or not _same(found[name], expected[name])
    )


def is_uuid(text: str) -> bool:
    """Whether it is a UUID as the stores spell them."""
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
