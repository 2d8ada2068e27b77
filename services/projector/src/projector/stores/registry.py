"""Generations of a store's views: the registry of them, and the steps from one registry to the next.

`cheeper_contracts.views.generations` says where a store keeps its registry. A store makes each step by compare-and-set.

GenerationError
├── BehindError       the target of a switch lacks, for now, what readers have seen: try again
├── NotComparedError  the audit has not found the target of a switch equal to the write model
└── ForgottenError    nothing is written any more into a generation that is being deleted, or was deleted
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

import msgspec

from cheeper_contracts.views.generations import FIRST


class State(StrEnum):
    """The state of a generation.

    Only `projector rebuild` fills one that is building. Every `projector run` of its version fills one that is active,
    whether readers are shown it or not. The views of one that is deleting are being removed.
    """

    BUILDING = "building"
    ACTIVE = "active"
    DELETING = "deleting"

    @classmethod
    def _missing_(cls, value: object) -> State | None:
        # The words of earlier versions, which a store that was filled by them still has.
        return {"standing": cls.ACTIVE, "forgetting": cls.DELETING}.get(str(value))


class GenerationError(Exception):
    """The generation does not allow the step. The text is one sentence."""


class BehindError(GenerationError):
    """The text names what is lacking."""


class NotComparedError(GenerationError):
    """The text names the command that compares."""


class ForgottenError(GenerationError):
    """Its consumer has nothing more to do."""


class Generation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A generation's entry in the registry.

    `version` is that of the projections that fill it. `made_at` and `compared_at` are in microseconds since the epoch;
    `compared_at` is None before the audit has found the generation equal to the write model.
    """

    number: int
    version: int
    state: State
    made_at: int
    compared_at: int | None = None


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """All generations of a store by number. Before the first `projector run` there are none, and the first is live.

    `previous` is the generation that was live before; `last` is the highest number ever given. No number is given
    twice, so a process that slept through a generation's end cannot take another one for it.
    """

    live: int = FIRST
    previous: int | None = None
    last: int = FIRST
    generations: dict[int, Generation] = {}

    def of(self, number: int) -> Generation:
        """Return the generation of that number. Raise GenerationError if there is none."""
        if number not in self.generations:
            raise GenerationError(f"there is no generation {number}")
        return self.generations[number]

    def has(self, number: int) -> bool:
        """Return True if the generation may be written: the first one may before anything is registered."""
        if number in self.generations:
            return self.generations[number].state != State.DELETING
        return number == FIRST and not self.generations

    def unfinished(self, version: int) -> Generation | None:
        """Return the generation that a rebuild of the version resumes: one that has never been live."""
        found = [
            one
            for one in self.generations.values()
            if one.version == version and one.state != State.DELETING and one.number not in {self.live, self.previous}
        ]
        return max(found, key=lambda one: one.number, default=None)

    def with_first(self, version: int, made_at: int) -> Registry:
        """Register the first generation as the live one if none is registered."""
        if self.generations:
            return self
        first = Generation(number=FIRST, version=version, state=State.ACTIVE, made_at=made_at)
        return Registry(generations={FIRST: first})

    def with_new(self, version: int, made_at: int) -> Registry:
        """Add a generation to be built, whose number is the new `last`. Raise GenerationError if one is being built."""
        for one in self.generations.values():
            if one.state == State.BUILDING:
                raise GenerationError(
                    f"generation {one.number} of version {one.version} is being built: forget it before another is made"
                )
        number = self.last + 1
        new = Generation(number=number, version=version, state=State.BUILDING, made_at=made_at)
        return msgspec.structs.replace(self, last=number, generations={**self.generations, number: new})

    def with_active(self, number: int) -> Registry:
        """Let every projector of its version fill the generation from now on. Raise GenerationError."""
        return self._with_state(number, State.ACTIVE)

    def with_live(self, number: int) -> Registry:
        """Show readers this generation. Raise GenerationError, and NotComparedError unless it was compared or was live
        just before.
        """
        if (one := self.of(number)).state != State.ACTIVE:
            raise GenerationError(f"generation {number} is {one.state}, not active")
        if number == self.live:
            raise GenerationError(f"generation {number} is live already")
        if one.compared_at is None and number != self.previous:
            raise NotComparedError(
                f"generation {number} has not been compared with the write model: run `cheeper-audit --generation "
                f"{number}` for this store, with `--in-service` while the system is in use"
            )
        return msgspec.structs.replace(self, live=number, previous=self.live)

    def with_deleting(self, number: int) -> Registry:
        """Let nothing be written into the generation any more. Raise GenerationError if it is live."""
        if number == self.live:
            raise GenerationError(f"generation {number} is live: switch to another one before you forget it")
        if self.of(number).state == State.DELETING:
            return self
        previous = None if number == self.previous else self.previous
        return msgspec.structs.replace(self._with_state(number, State.DELETING), previous=previous)

    def without(self, number: int) -> Registry:
        """Remove the generation. Raise GenerationError unless it is being deleted."""
        if self.of(number).state != State.DELETING:
            raise GenerationError(f"generation {number} is {self.of(number).state}, not deleting")
        kept = {other: one for other, one in self.generations.items() if other != number}
        return msgspec.structs.replace(self, generations=kept)

    def _with_state(self, number: int, state: State) -> Registry:
        one = self.of(number)
        if one.state == State.DELETING:
            raise GenerationError(f"generation {number} is being deleted")
        changed = msgspec.structs.replace(one, state=state)
        return msgspec.structs.replace(self, generations={**self.generations, number: changed})


class Generations(Protocol):
    """A store's registry. Each step is one compare-and-set, and raises StoreUnavailableError and GenerationError."""

    @property
    def name(self) -> str:
        """The store's name."""

    def registry(self) -> Registry:
        """Return the registry as it is now."""

    def register(self, version: int) -> Registry:
        """Return the registry after the first generation was registered if there was none."""

    def create(self, version: int) -> Generation:
        """Add a generation to be built."""

    def activate(self, number: int) -> None:
        """Let every projector of its version fill the generation from now on."""

    def switch(self, number: int, *, restored: bool = False) -> None:
        """Show readers the generation, or raise BehindError if it lacks what the live one has.

        Comparing and switching are one step, so the live one does not move in between. With `restored` the log has
        another history than the live one was made of, so nothing is compared where their topics differ.
        """

    def forget(self, number: int) -> None:
        """Let nothing be written into the generation any more."""

    def clear(self, number: int) -> Iterator[int]:
        """Remove the views of a generation that is being deleted, in bounded steps; yield the number removed so far."""

    def remove(self, number: int) -> None:
        """Remove a generation that is being deleted from the registry."""

    def close(self) -> None:
        """Close the store's connections."""
