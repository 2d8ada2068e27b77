"""The results of a run, as bench/results has them. The page and the guard are made from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from cheeper_bench.errors import BenchError
from cheeper_bench.measuring.bench import Length, Reach
from cheeper_bench.measuring.machine import Machine
from cheeper_bench.measuring.spread import Spread, ratio_of
from cheeper_local.settings import CLONE

FOLDER: Final = CLONE / "bench" / "results"


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A reach and its measured value, which is None if a side is missing."""

    label: str
    unit: str
    at: str
    wanted: float | None
    value: Spread | None

    @property
    def met(self) -> bool | None:
        """True if the median is within the bound, None if there is no bound or no value."""
        if self.wanted is None or self.value is None:
            return None
        return self.value.median >= self.wanted if self.at == "least" else self.value.median <= self.wanted


class BenchResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a benchmark: figures by side and name, missing sides with the reason, reaches.

    `failed` is the reason if there are no figures at all.
    """

    name: str
    title: str
    about: str
    runs: int = 0
    seconds: float = 0
    sides: dict[str, dict[str, Spread]] = {}
    missing: dict[str, str] = {}
    reaches: tuple[Reached, ...] = ()
    failed: str | None = None


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A run of some benchmarks. `changed`: the code differed from the commit. `load`: the mean number of processes that
    ran or wanted to in the minute before it; more than the machine's cores means that something else went on.
    """

    began: str
    length: Length
    commit: str
    changed: bool
    machine: Machine
    benches: tuple[BenchResult, ...]
    load: float = 0.0

    def plot(self, bench: BenchResult) -> str:
        """Return the name of a benchmark's plot, which differs between the short and the long run."""
        return bench.name if self.length == "short" else f"{bench.name}-{self.length}"


def reached(reach: Reach, sides: dict[str, dict[str, Spread]]) -> Reached:
    """Return a reach with its value from these figures."""
    value = sides.get(reach.side, {}).get(reach.figure)
    if reach.over is not None:
        other = sides.get(reach.over, {}).get(reach.over_figure or reach.figure)
        value = None if value is None or other is None else ratio_of(value, other)
    return Reached(label=reach.label, unit=reach.unit, at=reach.at, wanted=reach.wanted, value=value)


def write(results: Results, path: Path) -> None:
    """Write the results as indented JSON, so that a change of it can be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def read(path: Path) -> Results:
    """Return the results that were written there. Raise BenchError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except (OSError, msgspec.DecodeError) as error:
        raise BenchError(f"{path} holds no results: {error}") from None


def merged(before: Results | None, now: Results) -> Results:
    """Return the new results, and those of the benchmarks before that were not run anew, if all else is the same."""
    if before is None or (before.commit, before.length, before.machine) != (now.commit, now.length, now.machine):
        return now
    fresh = {each.name: each for each in now.benches}
    kept: Sequence[BenchResult] = [fresh.pop(each.name, each) for each in before.benches]
    return msgspec.structs.replace(now, benches=(*kept, *fresh.values()))
