"""Two generations of a store's views are compared while both go on.

A difference counts only if it is no lateness: what one has and the other has not yet. So what differs is looked at
again once each has passed the place where the other was at the first look and no fan-out task waits, until neither side
has changed from one such look to the next; what never comes to rest is told of as undecided.

Views are looked at page by page, and what differs is decided before the next page, so memory is bounded.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from projector.generations.diff import Sides
from projector.ops.retry import pauses

LOOKS: Final = 6
"""How often what keeps changing is looked at again before it is left undecided."""
PATIENCE: Final = 30.0
"""Seconds that each of them is given to pass the other's place."""


class Comparison(msgspec.Struct, kw_only=True):
    """How many views of each name were compared, which parts differ in how many of them, the first of each, and how
    many were undecided.
    """

    compared: Counter[str] = msgspec.field(default_factory=Counter)
    differing: Counter[str] = msgspec.field(default_factory=Counter)
    first: dict[str, str] = msgspec.field(default_factory=dict)
    undecided: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def equal(self) -> bool:
        """Whether nothing differs, as far as could be told."""
        return not self.differing

    def lines(self) -> Iterator[str]:
        """For people: a line for each part that differs, each view that was undecided, and one for all."""
        for part, number in sorted(self.differing.items()):
            view, _, what = part.partition(".")
            says = f"{view} is {what.strip('()')}" if what.startswith("(") else f"{part} differs"
            yield f"{says} in {number:,} of {self.compared[view]:,}; first {self.first[part]}"
        for view, number in sorted(self.undecided.items()):
            yield f"{view}: {number:,} undecided, since they kept changing"
        yield f"{self.compared.total():,} views compared: {self.differing.total():,} differences"


def compare(
    sides: Sides, *, told: Callable[[str, int], None] = lambda _view, _more: None, patience: float = PATIENCE
) -> Comparison:
    """Compares all of both. `told` hears how many views of a name are through."""
    found = Comparison()
    for view in sides.names:
        for ids in chain(sides.pages(view), sides.surplus(view)):
            found.compared[view] += len(ids)
            _decide(sides, view, ids, found, patience)
            told(view, len(ids))
    return found


def _decide(sides: Sides, view: str, ids: Sequence[str], found: Comparison, patience: float) -> None:
    pending = {name: pair for name, pair in sides.look(view, ids).items() if pair.parts}
    for _ in range(LOOKS):
        if not pending:
            return
        whole = _wait_until_passed(sides, patience)
        again = {name: pair for name, pair in sides.look(view, sorted(pending)).items() if pair.parts}
        for name, pair in sorted(again.items()):
            if whole and pair == pending[name]:
                for part in pair.parts:
                    label = f"{view}.{part}" if part else view
                    found.differing[label] += 1
                    found.first.setdefault(label, name)
        pending = {name: pair for name, pair in again.items() if not (whole and pair == pending[name])}
    if pending:
        found.undecided[view] += len(pending)


def _wait_until_passed(sides: Sides, patience: float) -> bool:
    """Whether each has come by where the other is now, within the time."""
    live_was, other_was = sides.places()
    waits, deadline = pauses(), time.monotonic() + patience
    live, other = live_was, other_was
    while not (live.passed(other_was) and other.passed(live_was)):
        if time.monotonic() > deadline:
            return False
        time.sleep(min(next(waits), 0.5))
        live, other = sides.places()
    return True
