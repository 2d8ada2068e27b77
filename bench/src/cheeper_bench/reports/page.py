"""docs/performance.md, made of results: a table a benchmark, with the reach beside each figure and if it is met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from cheeper_bench.measuring.results import BenchResult, Reached, Results
from cheeper_bench.measuring.spread import Spread

PLOTS = "performance"
"""The folder of the plots, beside the page."""

APART: Final = {"pays_off": "when-cqrs-pays.md"}
"""The benchmarks that have a page of their own."""

_INTRODUCTION: Final = """
What Cheeper does, beside what a user would pick instead, measured in turns in one run on one machine. Ratios count;
absolute figures only describe. Each figure is the median of its runs, with the lowest and the highest; a ratio is taken
run by run. fsync, acks and every other property were on; a run refuses to count where one is off.

`make bench` takes about 20 minutes, `make bench-long` an hour; `python -m cheeper_bench --help` says how to run one
row alone. They need Linux and two cores. What is missing on a machine has a row that says so.
""".strip()


def page(results: Sequence[Results], notes: str, plots: Iterable[str] = ()) -> str:
    """Return the page for the short run and the long one if there is one. `notes` is what people add to the figures:
    what falls short, and the reason that a profile gives. `plots` are the names of those that there are.
    """
    parts = [
        "# Performance",
        "<!-- Made by `python -m cheeper_bench --render` of bench/results and bench/notes.md: change those. -->",
        _INTRODUCTION,
    ]
    with_plot = set(plots)
    for one in results:
        parts += [_heading(one), summary(one)]
    if notes.strip():
        parts.append(notes.strip())
    for one in results:
        for bench in one.benches:
            parts += [f"## {bench.title}" + (" (long run)" if one.length == "long" else ""), *_bench(bench)]
            if one.plot(bench) in with_plot:
                parts.append(f"![{bench.title}]({PLOTS}/{one.plot(bench)}.svg)")
    return "\n\n".join(parts) + "\n"


def summary(results: Results) -> str:
    """Return all reaches in one table."""
    rows = [
        [bench.title, reach.label, _value(reach), _wanted(reach), _verdict(reach)]
        for bench in results.benches
        for reach in bench.reaches
    ]
    rows += [[bench.title, "not measured", bench.failed, "", "no"] for bench in results.benches if bench.failed]
    return table(["what", "figure", "measured", "reach", "met"], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def number(value: float) -> str:
    """As people read it: three digits that mean something, thousands apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:  # noqa: PLR2004 - three digits before the point
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(found: Spread) -> str:
    """Return the median and, in brackets, the lowest and the highest."""
    if len(found.values) == 1:
        return number(found.median)
    return f"{number(found.median)} ({number(found.lowest)}..{number(found.highest)})"


def _heading(results: Results) -> str:
    machine = results.machine
    changed = ", with changes" if results.changed else ""
    command = {"short": "make bench", "long": "make bench-long"}.get(
        results.length, f"python -m cheeper_bench --{results.length}"
    )
    return (
        f"`{command}` of {results.began[:10]}, commit {results.commit}{changed}. {machine.processor}, "
        f"{machine.cores} cores, {machine.memory_gib:g} GiB, {machine.system}, Python {machine.python};\n"
        + "; ".join(machine.servers)
        + "."
    )


def _bench(bench: BenchResult) -> Iterator[str]:
    yield bench.about.strip()
    if bench.name in APART and bench.sides:
        yield f"The figures are on [a page of their own]({APART[bench.name]})."
        return
    if bench.failed:
        yield f"Not measured: {bench.failed}"
        return
    names = list(dict.fromkeys(name for figures in bench.sides.values() for name in figures))
    rows = [
        [side, *(spread(figures[name]) if name in figures else "" for name in names)]
        for side, figures in bench.sides.items()
    ]
    rows += [[side, f"not measured: {reason}", *("" for _ in names[1:])] for side, reason in bench.missing.items()]
    yield table(["side", *names], rows)
    if bench.reaches:
        reached = [[reach.label, _value(reach), _wanted(reach), _verdict(reach)] for reach in bench.reaches]
        yield table(["figure", "measured", "reach", "met"], reached)
    yield f"{bench.runs} run{'s' if bench.runs > 1 else ''} each, {bench.seconds:.0f} s in all."


def _value(reach: Reached) -> str:
    return "not measured" if reach.value is None else f"{spread(reach.value)} {reach.unit}".strip()


def _wanted(reach: Reached) -> str:
    return "" if reach.wanted is None else f"at {reach.at} {number(reach.wanted)} {reach.unit}".strip()


def _verdict(reach: Reached) -> str:
    return {True: "yes", False: "**no**", None: ""}[reach.met]


def write(path: Path, text: str) -> None:
    """Put the page where it belongs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
