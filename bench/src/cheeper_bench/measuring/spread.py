"""The statistics: medians with their spread, percentiles, and ratios run by run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import msgspec


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """The median of some runs, with the lowest and the highest of them and all in the order in which they were run."""

    median: float
    lowest: float
    highest: float
    values: tuple[float, ...]


def spread_of(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(median=median(values), lowest=min(values), highest=max(values), values=tuple(values))


def ratio_of(ours: Spread, theirs: Spread) -> Spread | None:
    """Return ours over theirs, run by run, since one round met the same machine. Return None if one of theirs is 0."""
    pairs = list(zip(ours.values, theirs.values, strict=True))
    if any(other == 0 for _, other in pairs):
        return None
    return spread_of([one / other for one, other in pairs])


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least so many percent of them do not exceed (nearest rank), or 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
