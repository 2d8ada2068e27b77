"""CI's guard: some ratios against bounds that follow from what was measured and is checked in. Ratios only, no times.

Latencies are not among them: on a busy machine they differ by more than what is guarded against, and the CPU time of a
command, which is, is what they follow from. The relay's ratio needs Debezium, which CI does not install, and the mixed
load's is found in steps of a fifth; the CPU times of a command and of a page guard both.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from cheeper_bench.errors import BenchError
from cheeper_bench.measuring.bench import Reach
from cheeper_bench.measuring.results import BenchResult, Results, reached
from cheeper_local.settings import CLONE

PATH: Final = CLONE / "bench" / "guard.json"

_HALF: Final = 1 / 2
_TWO_THIRDS: Final = 2 / 3


class Guarded(msgspec.Struct, frozen=True):
    """A ratio of a benchmark, and the share of its speed that must be left."""

    bench: str
    reach: Reach
    least: float


def _speed(label: str, side: str, over: str, figure: str, unit: str = "x") -> Reach:
    return Reach(label=label, side=side, figure=figure, over=over, unit=unit)


def _cost(rate: int) -> Reach:
    return Reach(
        label=f"CPU of a command at {rate} commands/s, over hello's",
        side=f"at {rate} commands/s",
        figure="CPU ms/command",
        over="hello",
        at="most",
    )


def _below(follows: str) -> Reach:
    label = f"page below the floor, over the page above, {follows} follows"
    return _speed(label, f"below, {follows} follows", f"above, {follows} follows", "requests/s")


RATIOS: Final = {
    "fan_out": Guarded(
        "fan_out", _speed("fan-out, over a client pipeline", "Cheeper", "client pipeline", "entries/s"), _HALF
    ),
    "timeline_read": Guarded(
        "timeline_read", _speed("timeline, over hello", "read-api", "hello", "requests/s"), _TWO_THIRDS
    ),
    "below_floor_100": Guarded("below_floor", _below("100"), _TWO_THIRDS),
    "below_floor_1000": Guarded("below_floor", _below("1,000"), _TWO_THIRDS),
    "worker": Guarded(
        "worker", _speed("worker, over one transaction a command", "worker", "one by one", "commands/s"), _TWO_THIRDS
    ),
    "projector": Guarded(
        "projector", _speed("projector, over decoding alone", "projector", "decoding only", "events/s"), _TWO_THIRDS
    ),
    "cpu_per_command_100": Guarded("cpu_per_command", _cost(100), _TWO_THIRDS),
    "cpu_per_command_200": Guarded("cpu_per_command", _cost(200), _TWO_THIRDS),
}
"""The guarded ratios by name: where less is better, as of a cost, `reach.at` is "most"."""


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """The content of guard.json: the measured ratios by name, and the commit."""

    commit: str
    ratios: dict[str, float]

    def bound(self, name: str) -> float | None:
        """Return the value that a ratio must not get past, or None if it was never measured."""
        if name not in self.ratios:
            return None
        guarded = RATIOS[name]
        return self.ratios[name] * (guarded.least if guarded.reach.at == "least" else 1 / guarded.least)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one ratio, in a sentence."""

    text: str
    failed: bool


def read(path: Path = PATH) -> Guard:
    """Return the checked-in ratios. Raise BenchError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Guard)
    except (OSError, msgspec.DecodeError) as error:
        raise BenchError(f"{path} holds no ratios to guard: {error}") from None


def ratios(benches: Iterable[BenchResult]) -> dict[str, float]:
    """Return the guarded ratios that these benchmarks have, by name."""
    sides = {bench.name: bench.sides for bench in benches}
    values = {name: reached(one.reach, sides.get(one.bench, {})).value for name, one in RATIOS.items()}
    return {name: value.median for name, value in values.items() if value is not None}


def judge(guard: Guard, results: Results) -> list[Verdict]:
    """Return a verdict for each guarded ratio: one that could not be measured is as bad as one that became worse."""
    measured = ratios(results.benches)
    failed = {bench.name: bench.failed or "; ".join(bench.missing.values()) for bench in results.benches}
    return [
        _verdict(name, one, measured.get(name), guard.bound(name), failed.get(one.bench))
        for name, one in RATIOS.items()
    ]


def _verdict(name: str, one: Guarded, ratio: float | None, bound: float | None, failed: str | None) -> Verdict:
    if ratio is None:
        reason = failed or "it was not run"
        return Verdict(text=f"{name}: {one.reach.label} was not measured: {reason}", failed=True)
    limit = "never measured before" if bound is None else f"at {one.reach.at} {bound:.3g}"
    worse = bound is not None and (ratio < bound if one.reach.at == "least" else ratio > bound)
    return Verdict(
        text=f"{name}: {one.reach.label} is {ratio:.3g}, {limit}: {'worse' if worse else 'well'}", failed=worse
    )


def keep(results: Results, path: Path = PATH) -> Guard:
    """Write the measured ratios as those to guard from now on."""
    guard = Guard(commit=results.commit, ratios={name: round(one, 3) for name, one in ratios(results.benches).items()})
    path.write_bytes(msgspec.json.format(msgspec.json.encode(guard), indent=2) + b"\n")
    return guard
