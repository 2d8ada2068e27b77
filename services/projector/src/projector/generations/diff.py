"""Two generations of a store's views, as one looks at both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec


class Pair(msgspec.Struct, frozen=True):
    """A view in both generations: a digest of each side, and which parts of it differ; none where they are equal to
    readers. A part is a field, `(missing)` or `(surplus)` where the other one lacks the view or alone has it, or ``
    where the view has no parts.
    """

    live: bytes
    other: bytes
    parts: tuple[str, ...]


class Place(msgspec.Struct, frozen=True):
    """How far a generation is: sequences by partition, and whether it has fan-out tasks waiting."""

    sequences: Mapping[int, int]
    busy: bool

    def passed(self, other: Place) -> bool:
        """Whether all that the other holds is in this one, tasks included."""
        reached = all(self.sequences.get(partition, 0) >= there for partition, there in other.sequences.items())
        return reached and not self.busy


class Sides(Protocol):
    """Two generations of one store. Every method raises StoreUnavailableError while the store is away."""

    @property
    def names(self) -> Sequence[str]:
        """The names of what is compared."""

    def pages(self, view: str) -> Iterator[Sequence[str]]:
        """The ids of a view that the live generation has, some at a time."""

    def surplus(self, view: str) -> Iterator[Sequence[str]]:
        """The ids that the other one has and the live one has not, some at a time."""

    def look(self, view: str, ids: Sequence[str]) -> Mapping[str, Pair]:
        """The views of these ids as they are now."""

    def places(self) -> tuple[Place, Place]:
        """How far the live one and the other are."""

    def close(self) -> None:
        """Gives its connections back."""
