"""What a benchmark is: sides that are measured in turns, and the reaches that their figures are held against."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal

import msgspec

from cheeper_bench.ground import Ground

Length = Literal["tiny", "short", "long", "guard"]
"""How much is measured: `tiny` only shows that everything runs, `guard` is CI's minute."""

Figures = Mapping[str, float]
"""One run's figures by name; the name ends with the unit, as in `requests/s` or `p99 ms`."""

Side = Callable[[], Figures]
"""One contender: a call is one run, of some seconds."""


class Missing(msgspec.Struct, frozen=True):
    """A side that cannot be measured here, and why."""

    why: str


Sides = Mapping[str, Side | Missing]


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be reached: a figure of a side, over the same one (or `over_figure`) of another where `over` names it.

    `wanted` is the bound, none where the value is only shown. A ratio is taken run by run, then the median of it.
    """

    says: str
    side: str
    figure: str
    over: str | None = None
    over_figure: str | None = None
    wanted: float | None = None
    at: Literal["least", "most"] = "least"
    unit: str = "x"


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark. `open` lays what is needed, gives the sides and clears up; its module's docstring says what is
    measured, against what, and why that is fair. `series` names the sides that are points of one line.
    """

    name: str
    title: str
    open: Callable[[Ground, Length], AbstractContextManager[Sides]]
    reaches: tuple[Reach, ...] = ()
    lengths: tuple[Length, ...] = ("tiny", "short")
    warm_up: bool = True

    @property
    def about(self) -> str:
        """The docstring of its module."""
        return sys.modules[self.open.__module__].__doc__ or ""
