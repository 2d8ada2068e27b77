"""A benchmark: sides that are measured in turns, and the reaches that their figures are compared with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal

import msgspec

from cheeper_bench.environment.environment import Environment

Length = Literal["tiny", "short", "long", "guard"]
"""The length of a run: `tiny` only shows that everything runs, `guard` is CI's minute."""

Figures = Mapping[str, float]
"""One run's figures by name; the name ends with the unit, as in `requests/s` or `p99 ms`."""

Side = Callable[[], Figures]
"""One contender: a call is one run, of some seconds."""


class Missing(msgspec.Struct, frozen=True):
    """A side that cannot be measured here, and the reason."""

    reason: str


Sides = Mapping[str, Side | Missing]


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """A target: a figure of a side, or its ratio to the same figure (or `over_figure`) of the side that `over` names.

    `wanted` is the bound, or None if the value is only shown. A ratio is taken run by run, then the median of it.
    """

    label: str
    side: str
    figure: str
    over: str | None = None
    over_figure: str | None = None
    wanted: float | None = None
    at: Literal["least", "most"] = "least"
    unit: str = "x"


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark. `open` seeds the data, gives the sides and clears up.

    The docstring of its module states what is measured, what it is compared with, and why that is fair.
    """

    name: str
    title: str
    open: Callable[[Environment, Length], AbstractContextManager[Sides]]
    reaches: tuple[Reach, ...] = ()
    lengths: tuple[Length, ...] = ("tiny", "short")
    warm_up: bool = True

    @property
    def about(self) -> str:
        """The docstring of the benchmark's module."""
        return sys.modules[self.open.__module__].__doc__ or ""
