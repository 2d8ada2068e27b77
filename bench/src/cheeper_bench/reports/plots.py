"""The plots of docs/performance.md as SVG: a group of bars a figure, the spread as a line. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from cheeper_bench.errors import UnavailableError
from cheeper_bench.measuring.results import BenchResult, Results
from cheeper_bench.reports.page import APART

_INCHES: Final = 7.0
_HEIGHT: Final = 0.34
_COLOURS: Final = ("#2f6f9f", "#9f9f9f")


def draw(results: Iterable[Results], folder: Path) -> list[str]:
    """Write a plot for each benchmark that has figures; their names. Raise UnavailableError without matplotlib."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    chosen = ((one.plot, bench) for one in results for bench in one.benches if bench.sides and bench.name not in APART)
    for name_of, bench in chosen:
        names = list(dict.fromkeys(name for figures in bench.sides.values() for name in figures))
        rows = sum(sum(name in figures for figures in bench.sides.values()) + 1.6 for name in names)
        figure = figure_of(_INCHES, _HEIGHT * rows)
        for name, axes in zip(names, figure.subplots(len(names), squeeze=False)[:, 0], strict=True):
            _bars(axes, bench, name)
        figure.savefig(folder / f"{name_of(bench)}.svg", metadata={"Date": None})
        drawn.append(name_of(bench))
    return drawn


def figure_of(width: float, height: float) -> Any:
    """Return an empty figure of so many inches. Raise UnavailableError without matplotlib."""
    try:
        mpl: Any = import_module("matplotlib")
        figures: Any = import_module("matplotlib.figure")
    except ImportError:
        raise UnavailableError("The plots need matplotlib: install the extra `plots` of bench.") from None
    # The same results are the same bytes: no random ids, no date, text as text.
    mpl.rcParams.update({"svg.hashsalt": "cheeper", "svg.fonttype": "none", "font.size": 9})
    return figures.Figure(figsize=(width, height), layout="constrained")


def _bars(axes: Any, bench: BenchResult, name: str) -> None:
    sides = [(side, figures[name]) for side, figures in bench.sides.items() if name in figures]
    medians = [found.median for _, found in sides]
    below = [found.median - found.lowest for _, found in sides]
    above = [found.highest - found.median for _, found in sides]
    colours = [_COLOURS[0] if at == 0 else _COLOURS[1] for at in range(len(sides))]
    axes.barh([side for side, _ in sides], medians, xerr=[below, above], color=colours, height=0.6)
    axes.invert_yaxis()
    axes.set_xlabel(name)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
