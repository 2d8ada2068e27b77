"""The figures of docs/when-cqrs-pays.md: one plot and one table, put between two comments of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from cheeper_bench.errors import BenchError
from cheeper_bench.measuring.results import BenchResult, Results
from cheeper_bench.measuring.scenarios import (
    BUFFERS,
    CHEEPER,
    COST,
    FOLLOWS,
    RATE,
    SHARES,
    SQL_ONLY,
    USUAL_FOLLOWS,
    USUAL_SHARE,
    Scenario,
    Sides,
    break_even,
    median,
)
from cheeper_bench.reports.page import number, table
from cheeper_bench.reports.plots import figure_of

NAME: Final = "pays_off"
PLOT: Final = "performance/when-cqrs-pays.svg"
BEGIN: Final = "<!-- figures: made by `make bench-long` -->"
END: Final = "<!-- end of the figures -->"
_HEAD: Final = (
    *("follows", "reads", "Cheeper, requests/s", "SQL only, requests/s"),
    *("Cheeper, CPU ms", "SQL only, CPU ms", "ratio of CPU", "break-even at reads of"),
)
_PROCESSES: Final = (
    *("gateway", "read-api", "write-api", "kafka", "worker", "postgres", "relay", "projector", "redis", "mongo"),
    "process-manager",
)


def found_in(results: Sequence[Results]) -> tuple[Results, BenchResult] | None:
    """Return the run that has these figures, the longest if several do, and the figures."""
    found = [(one, bench) for one in results for bench in one.benches if bench.name == NAME and bench.sides]
    return found[-1] if found else None


def put(page: str, figures: str) -> str:
    """Return the page with these figures between its comments. Raise BenchError if it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"The page has no {BEGIN} … {END} to put the figures between.")
    return f"{before}{begin}\n\n{figures.strip()}\n\n{end}{after}"


def figures(run: Results, bench: BenchResult) -> str:
    """Return the plot, the table, and the cost of a read and of a post by process, as Markdown."""
    machine = run.machine
    changed = ", with changes" if run.changed else ""
    begin = (
        f"{'Long' if run.length == 'long' else 'Short'} form of {run.began[:10]}, commit {run.commit}{changed}: "
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gib:g} GiB; {bench.runs} "
        f"run{'s' if bench.runs > 1 else ''} each. Load of the machine at the beginning: "
        f"{number(run.load)}, of which {machine.cores} are what it can do at once."
    )
    parts = [
        begin,
        f"![CPU of a request over follows, and the share of reads at which both cost the same]({PLOT})",
        table(_HEAD, _rows(bench.sides)),
        "One request, alone, at 100 follows, in ms of CPU by process, above what it takes at rest:",
        table(("process", "a read", "a post", "SQL only, a read", "SQL only, a post"), _by_process(bench.sides)),
    ]
    return "\n\n".join(parts)


def _rows(sides: Sides) -> Iterator[list[str]]:
    points = [(follows, USUAL_SHARE, BUFFERS[0]) for follows in FOLLOWS]
    points += [(USUAL_FOLLOWS, share, BUFFERS[0]) for share in SHARES if share != USUAL_SHARE]
    points += [(USUAL_FOLLOWS, USUAL_SHARE, buffers) for buffers in BUFFERS[1:]]
    for follows, reads, buffers in points:
        ours, theirs = Scenario(CHEEPER, follows, reads), Scenario(SQL_ONLY, follows, reads, buffers)
        fill = median(sides, theirs, "data/buffers")
        less = "" if buffers == BUFFERS[0] or fill is None else f", data {number(fill)} times SQL's buffers"
        costs = [median(sides, each, COST) for each in (ours, theirs)]
        alike = break_even(sides, follows) if (reads, buffers) == (USUAL_SHARE, BUFFERS[0]) else None
        yield [
            f"{follows}{less}",
            f"{reads}%",
            *(_cell(median(sides, each, RATE)) for each in (ours, theirs)),
            *map(_cell, costs),
            "" if costs[0] is None or not costs[1] else number(costs[0] / costs[1]),
            "" if alike is None else share(alike),
        ]


def share(percent: float) -> str:
    """Return a share of reads in words, of which none may be enough."""
    return "no share" if percent > 100 else f"{percent:.3g}%"  # noqa: PLR2004 - percent


def _by_process(sides: Sides) -> Iterator[list[str]]:
    scenarios = [Scenario(who, USUAL_FOLLOWS, reads) for who in (CHEEPER, SQL_ONLY) for reads in (100, 0)]
    known = {name.removesuffix(" ms") for one in scenarios for name in sides.get(one.name, {}) if _is_process(name)}
    for name in [each for each in _PROCESSES if each in known] + sorted(known - set(_PROCESSES)):
        yield [name, *(_cell(median(sides, one, f"{name} ms")) for one in scenarios)]
    yield ["all", *(_cell(median(sides, one, COST)) for one in scenarios)]


def _is_process(figure: str) -> bool:
    return figure.endswith(" ms") and not figure.startswith("p99")


def _cell(value: float | None) -> str:
    return "" if value is None else number(value)


def draw(bench: BenchResult, path: Path) -> None:
    """Write the plot. Raise UnavailableError without matplotlib."""
    figure = figure_of(7.5, 3.2)
    left, right = figure.subplots(1, 2)
    for who, colour in ((CHEEPER, "#2f6f9f"), (SQL_ONLY, "#9f9f9f")):
        costs = [(each, median(bench.sides, Scenario(who, each, USUAL_SHARE), COST)) for each in FOLLOWS]
        known = [(follows, cost) for follows, cost in costs if cost is not None]
        left.plot([each for each, _ in known], [cost for _, cost in known], marker="o", color=colour, label=who)
    left.set_ylabel("CPU ms per request at 90% reads")
    left.set_ylim(bottom=0)
    left.legend(frameon=False)
    shares = [(each, break_even(bench.sides, each)) for each in FOLLOWS]
    alike = [(each, min(percent, 100.0)) for each, percent in shares if percent is not None]
    right.plot([each for each, _ in alike], [percent for _, percent in alike], marker="o", color="#2f6f9f")
    right.fill_between([each for each, _ in alike], [percent for _, percent in alike], 100, alpha=0.15)
    right.set_ylim(0, 102)
    right.set_ylabel("reads at the break-even, %")
    right.set_title("above the line Cheeper costs less", fontsize=9)
    for axes in (left, right):
        _axes(axes)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def _axes(axes: Any) -> None:
    axes.set_xscale("log")
    axes.set_xticks(FOLLOWS, [str(each) for each in FOLLOWS])
    axes.minorticks_off()
    axes.set_xlabel("follows per reader")
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
