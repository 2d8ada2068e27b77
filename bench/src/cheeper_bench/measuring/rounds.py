"""Runs a benchmark. Its sides take turns, so that a disturbance of the machine affects all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from cheeper_bench.environment.environment import Environment
from cheeper_bench.errors import BenchError, NotDurableError, UnavailableError
from cheeper_bench.measuring.bench import Bench, Length, Missing, Side, Sides
from cheeper_bench.measuring.results import BenchResult, reached
from cheeper_bench.measuring.spread import spread_of
from cheeper_local.errors import LocalError

Log = Callable[[str], None]
"""Takes a line for people who wait."""

Samples = dict[str, dict[str, list[float]]]


def measure(bench: Bench, environment: Callable[[], Environment], length: Length, rounds: int, log: Log) -> BenchResult:
    """Return the benchmark's figures, each of `rounds` runs, or why it cannot be run. Raise NotDurableError."""
    empty = BenchResult(name=bench.name, title=bench.title, about=bench.about)
    began = time.monotonic()
    try:
        with environment() as place, bench.open(place, length) as sides:
            log(f"{bench.name}: seeded in {time.monotonic() - began:.0f} s")
            samples, missing = take(sides, rounds, warm_up=bench.warm_up and length != "tiny", log=log)
    except NotDurableError:
        raise
    except (BenchError, LocalError) as error:
        log(f"{bench.name}: {error}")
        return msgspec.structs.replace(empty, failed=str(error), seconds=time.monotonic() - began)
    figures = {
        side: {name: spread_of(values) for name, values in found.items()} for side, found in samples.items() if found
    }
    return msgspec.structs.replace(
        empty,
        runs=rounds,
        seconds=time.monotonic() - began,
        sides=figures,
        missing=missing,
        reaches=tuple(reached(reach, figures) for reach in bench.reaches),
    )


def take(sides: Sides, rounds: int, *, warm_up: bool, log: Log) -> tuple[Samples, dict[str, str]]:
    """Return each side's figures in the order of the rounds, and the sides that gave none with the reason.

    Every round begins with another side. A side that turns out to be unavailable is left out from then on.
    """
    missing = {name: side.reason for name, side in sides.items() if isinstance(side, Missing)}
    present: dict[str, Side] = {name: side for name, side in sides.items() if not isinstance(side, Missing)}
    samples: Samples = {name: {} for name in sides if name in present}
    for number in range(-1 if warm_up else 0, rounds):
        names = list(present)
        turn = number % len(names) if names else 0
        for name in names[turn:] + names[:turn]:
            try:
                figures = present[name]()
            except UnavailableError as error:
                missing[name] = str(error)
                del present[name], samples[name]
                continue
            if number >= 0:
                for figure, value in figures.items():
                    samples[name].setdefault(figure, []).append(value)
            text = ", ".join(f"{value:,.4g} {figure}" for figure, value in figures.items())
            log(f"  {'warm-up' if number < 0 else f'run {number + 1}'} {name}: {text}")
    return samples, missing
