"""CI's guard: some ratios against floors that are checked in, half of what was measured. Ratios only, no times."""

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

RATIOS: Final = {
    "fan_out": Reach(
        label="fan-out, over a client pipeline", side="Cheeper", figure="entries/s", over="client pipeline"
    ),
    "timeline_read": Reach(label="timeline, over hello", side="read-api", figure="requests/s", over="hello"),
    "worker": Reach(
        label="worker, over one transaction a command", side="worker", figure="commands/s", over="one by one"
    ),
    "projector": Reach(
        label="projector, over decoding alone", side="projector", figure="events/s", over="decoding only"
    ),
}
"""The one ratio of each benchmark that is guarded. More is better in all of them."""


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """The content of guard.json: the measured ratios by benchmark, and the commit."""

    commit: str
    ratios: dict[str, float]

    def floor(self, name: str) -> float | None:
        """Return the value below which a ratio has halved, or None if it was never measured."""
        return None if name not in self.ratios else self.ratios[name] / 2


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one ratio. `reason` is a sentence about a failure, or None."""

    name: str
    ratio: float | None
    floor: float | None
    reason: str | None


def read(path: Path = PATH) -> Guard:
    """Return the checked-in ratios. Raise BenchError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Guard)
    except (OSError, msgspec.DecodeError) as error:
        raise BenchError(f"{path} holds no ratios to guard: {error}") from None


def ratios(benches: Iterable[BenchResult]) -> dict[str, float]:
    """Return the guarded ratio of each of these benchmarks that has one."""
    found = {}
    for bench in benches:
        value = reached(RATIOS[bench.name], bench.sides).value if bench.name in RATIOS else None
        if value is not None:
            found[bench.name] = value.median
    return found


def judge(guard: Guard, results: Results) -> list[Verdict]:
    """Return a verdict for each guarded ratio: one that could not be measured is as bad as one that has halved."""
    measured = ratios(results.benches)
    failed = {bench.name: bench.failed or "; ".join(bench.missing.values()) for bench in results.benches}
    verdicts = []
    for name, reach in RATIOS.items():
        ratio, floor = measured.get(name), guard.floor(name)
        reason = None
        if ratio is None:
            reason = f"{name}: {reach.label} was not measured: {failed.get(name) or 'it was not run'}"
        elif floor is not None and ratio < floor:
            reason = f"{name}: {reach.label} is {ratio:.2f}, below {floor:.2f}, half of what it was ({floor * 2:.2f})"
        verdicts.append(Verdict(name=name, ratio=ratio, floor=floor, reason=reason))
    return verdicts


def keep(results: Results, path: Path = PATH) -> Guard:
    """Write the measured ratios as those to guard from now on."""
    guard = Guard(commit=results.commit, ratios={name: round(one, 3) for name, one in ratios(results.benches).items()})
    path.write_bytes(msgspec.json.format(msgspec.json.encode(guard), indent=2) + b"\n")
    return guard
