"""Generations of a store's views: which there are, which one readers are shown, and what may become of each.

Where they are kept and what the fields mean: `cheeper_contracts.generations`. The rules stand here, as steps from one
registry to the next; a store makes each step by compare-and-set.

GenerationError
├── BehindError      the target of a switch lacks, for now, what readers have seen: try again
└── ForgottenError   nothing is written any more into a generation that is being forgotten, or is gone
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

import msgspec

from cheeper_contracts.generations import FIRST

State = Literal["building", "standing", "forgetting"]


class GenerationError(Exception):
    """What was asked for cannot be done with this generation. The text is one sentence."""


class BehindError(GenerationError):
    """The text says what it lacks."""


class ForgottenError(GenerationError):
    """A consumer of it has nothing more to do."""


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, as the registry tells of it.

    `version` is that of the projections which fill it. It is `building` while only `projector rebuild` fills it, then
    `standing`: every `projector run` of that version fills it, live or not; and at last `forgetting`, while its views
    are removed. `made_at` is in microseconds since the epoch.
    """

    number: int
    version: int
    state: State
    made_at: int


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """All generations of a store, by number; none before the first `projector run`, when the first one is live.

    `previous` is the one that was live before; `last` the highest number that was ever given: none is given twice, so
    that a process which slept through a generation's end cannot take another one for it.
    """

    live: int = FIRST
    previous: int | None = None
    last: int = FIRST
    generations: dict[int, Generation] = {}

    def of(self, number: int) -> Generation:
        """The generation of that number. Raises GenerationError."""
        if number not in self.generations:
            raise GenerationError(f"there is no generation {number}")
        return self.generations[number]

    def has(self, number: int) -> bool:
        """Whether that generation may be written: the first one may before anything is registered."""
        if number in self.generations:
            return self.generations[number].state != "forgetting"
        return number == FIRST and not self.generations

    def unfinished(self, version: int) -> Generation | None:
        """What a rebuild of that version goes on with: made, and never yet switched to."""
        found = [
            one
            for one in self.generations.values()
            if one.version == version and one.state != "forgetting" and one.number not in {self.live, self.previous}
        ]
        return max(found, key=lambda one: one.number, default=None)

    def with_first(self, version: int, made_at: int) -> Registry:
        """The first generation, live, where none is registered."""
        if self.generations:
            return self
        first = Generation(number=FIRST, version=version, state="standing", made_at=made_at)
        return Registry(generations={FIRST: first})

    def with_new(self, version: int, made_at: int) -> Registry:
        """One more, to be built; `last` is its number. Raises GenerationError."""
        for one in self.generations.values():
            if one.state == "building":
                raise GenerationError(
                    f"generation {one.number} of version {one.version} is being built: forget it before another is made"
                )
        number = self.last + 1
        new = Generation(number=number, version=version, state="building", made_at=made_at)
        return msgspec.structs.replace(self, last=number, generations={**self.generations, number: new})

    def with_standing(self, number: int) -> Registry:
        """Every projector of its version fills it from now on. Raises GenerationError."""
        return self._with_state(number, "standing")

    def with_live(self, number: int) -> Registry:
        """Readers are shown this one, and the one that they were shown before is `previous`. Raises GenerationError."""
        if (one := self.of(number)).state != "standing":
            raise GenerationError(f"generation {number} is {one.state}, not standing")
        if number == self.live:
            raise GenerationError(f"generation {number} is live already")
        return msgspec.structs.replace(self, live=number, previous=self.live)

    def with_forgetting(self, number: int) -> Registry:
        """Nothing is written into it any more. Raises GenerationError."""
        if number == self.live:
            raise GenerationError(f"generation {number} is live, and is not forgotten before another one is")
        if self.of(number).state == "forgetting":
            return self
        previous = None if number == self.previous else self.previous
        return msgspec.structs.replace(self._with_state(number, "forgetting"), previous=previous)

    def without(self, number: int) -> Registry:
        """It is gone. Raises GenerationError unless it was being forgotten."""
        if self.of(number).state != "forgetting":
            raise GenerationError(f"generation {number} is {self.of(number).state}: it is to be forgotten first")
        kept = {other: one for other, one in self.generations.items() if other != number}
        return msgspec.structs.replace(self, generations=kept)

    def _with_state(self, number: int, state: State) -> Registry:
        one = self.of(number)
        if one.state == "forgetting":
            raise GenerationError(f"generation {number} is being forgotten")
        changed = msgspec.structs.replace(one, state=state)
        return msgspec.structs.replace(self, generations={**self.generations, number: changed})


class Generations(Protocol):
    """A store's registry. Each step is one compare-and-set and may raise StoreUnavailableError."""

    @property
    def name(self) -> str:
        """Which store it is."""

    def registry(self) -> Registry:
        """As it is now."""

    def register(self, version: int) -> Registry:
        """The registry, with the first generation in it."""

    def create(self, version: int) -> Generation:
        """One more, to be built. Raises GenerationError."""

    def stand(self, number: int) -> None:
        """It is filled from now on by every projector of its version. Raises GenerationError."""

    def switch(self, number: int, *, restored: bool = False) -> None:
        """Shows it to readers from now on, unless it lacks what the live one has: BehindError, and nothing is done.

        The look and the change are one step, so the live one has moved no further in between. `restored`: the log tells
        another history than the live one was made of, so where their topics differ nothing is compared.
        """

    def forget(self, number: int) -> None:
        """Nothing is written into it from now on. Raises GenerationError for the live one."""

    def clear(self, number: int) -> Iterator[int]:
        """Removes the views of one that is being forgotten, in bounded steps; after each, how many are removed."""

    def remove(self, number: int) -> None:
        """Takes it out of the registry: it is gone. Raises GenerationError unless it was being forgotten."""

    def close(self) -> None:
        """Gives its connections back."""
