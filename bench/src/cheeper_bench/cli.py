"""The command line. Exit codes: 0 done, 1 a benchmark could not be run or a guarded ratio became worse, 2 a wrong call.

python -m cheeper_bench --short              the rows of `make bench`
python -m cheeper_bench --long               those of `make bench-long`
python -m cheeper_bench --only fan_out       one of them (again), with --short or --long
python -m cheeper_bench --guard              CI's minutes; --keep writes its ratios to bench/guard.json
python -m cheeper_bench --render             docs/performance.md, docs/when-cqrs-pays.md and plots, of bench/results
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from cheeper_bench.benches import BENCHES
from cheeper_bench.environment.environment import Environment
from cheeper_bench.errors import BenchError, UnavailableError
from cheeper_bench.measuring import machine, results, rounds
from cheeper_bench.measuring.bench import Bench, Length
from cheeper_bench.measuring.results import Results
from cheeper_bench.reports import guard, page, pays_off, plots
from cheeper_local.settings import CLONE

ROUNDS: Final[dict[Length, int]] = {"tiny": 1, "short": 5, "long": 3, "guard": 3}
PAGE: Final = CLONE / "docs" / "performance.md"
PAYS_OFF: Final = CLONE / "docs" / "when-cqrs-pays.md"
NOTES: Final = CLONE / "bench" / "notes.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and hand back its exit code."""
    options = _options(arguments)
    try:
        if options.render:
            return render()
        found = run(options)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    if options.length == "guard":
        return _guard(found, keep=options.keep)
    return 1 if any(bench.failed for bench in found.benches) else 0


def run(options: argparse.Namespace) -> Results:
    """Measure the chosen benchmarks, print the table and write the results. Raise BenchError."""
    length: Length = options.length
    chosen = _chosen(length, options.only)
    count = options.runs or ROUNDS[length]
    commit, changed = machine.commit()
    began = datetime.now(UTC).isoformat(timespec="seconds")
    environment = partial(Environment, options.graph, options.texts)
    found = []
    path = options.out or results.FOLDER / f"{length}.json"
    before = results.read(path) if path.exists() and options.only else None
    whole = Results(
        began=began,
        length=length,
        commit=commit,
        changed=changed,
        machine=machine.describe(),
        benches=(),
        load=round(os.getloadavg()[0], 1),
    )
    for bench in chosen:
        found.append(rounds.measure(bench, environment, length, count, _log))
        now = results.merged(before, replace(whole, benches=tuple(found)))
        if length != "guard" or options.out:
            results.write(now, path)  # after each, so that a run that is cut short leaves what it has
    last = replace(whole, benches=tuple(found))
    print(page.summary(last))
    return last


def render() -> int:
    """Write the pages of bench/results. Return the exit code."""
    found = [results.read(path) for name in ("short", "long") if (path := results.FOLDER / f"{name}.json").exists()]
    if not found:
        raise BenchError(f"{results.FOLDER} holds no results yet: run --short first.")
    drawn: list[str] = []
    scenarios = pays_off.found_in(found)
    if scenarios is not None:
        page.write(PAYS_OFF, pays_off.put(PAYS_OFF.read_text(), pays_off.figures(*scenarios)))
    try:
        drawn = plots.draw(found, PAGE.parent / page.PLOTS)
        if scenarios is not None:
            pays_off.draw(scenarios[1], PAYS_OFF.parent / pays_off.PLOT)
    except UnavailableError as error:
        print(error, file=sys.stderr)
    page.write(PAGE, page.page(found, NOTES.read_text() if NOTES.exists() else "", drawn))
    return 0


def _guard(found: Results, *, keep: bool) -> int:
    if keep:
        guard.keep(found)
        return 0
    verdicts = guard.judge(guard.read(), found)
    for verdict in verdicts:
        print(verdict.text)
    return 1 if any(verdict.failed for verdict in verdicts) else 0


def _chosen(length: Length, only: Sequence[str] | None) -> list[Bench]:
    if unknown := set(only or ()) - BENCHES.keys():
        raise BenchError(f"There is no benchmark {', '.join(sorted(unknown))}, but {', '.join(BENCHES)}.")
    return [bench for name, bench in BENCHES.items() if (name in only if only else length in bench.lengths)]


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m cheeper_bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    way = parser.add_mutually_exclusive_group(required=True)
    for length in ROUNDS:
        way.add_argument(f"--{length}", dest="length", action="store_const", const=length)
    way.add_argument("--render", action="store_true", help="write docs/performance.md of the results")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these benchmarks, whatever the length has")
    parser.add_argument("--runs", type=int, help="runs of each side, instead of the length's own number")
    parser.add_argument("--graph", type=Path, help="friendships, a pair of numbers a line (default: a graph is drawn)")
    parser.add_argument("--texts", type=Path, help="cheeps, one a line (default: they are made up)")
    parser.add_argument("--out", type=Path, help="where to write the results")
    parser.add_argument("--keep", action="store_true", help="with --guard: write the ratios instead of judging them")
    return parser.parse_args(arguments)
