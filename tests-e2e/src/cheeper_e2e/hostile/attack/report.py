"""The table of a run, for a terminal and for docs/guarantees/callers.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.table import Table

from cheeper_e2e.hostile.attack.judgement import Result
from cheeper_local.settings import CLONE

PAGE: Final = CLONE / "docs" / "guarantees" / "callers.md"
BEGIN: Final = "<!-- begin figures, written by make attack PAGE=1 -->"
END: Final = "<!-- end figures -->"
COLUMNS: Final = (
    "attack",
    "strikes/s",
    "its CPU",
    "p99 without",
    "p99 with",
    "ratio",
    "refused",
    "not ready",
    "memory",
)


def row(result: Result) -> tuple[str, ...]:
    """Return the cells of a result: rates per second, CPU in percent of a core, milliseconds, and MiB of growth."""
    name, grown, _ = result.watched.growth()
    cpu = sum(each.cpu_seconds for each in result.strikes) / result.seconds
    return (
        result.attack.name,
        f"{sum(each.begun for each in result.strikes) / result.seconds:.0f}",
        f"{cpu:.0%}",
        f"{result.without.p99() * 1000:.0f} ms",
        f"{result.under.p99() * 1000:.0f} ms",
        f"{result.ratio:.1f}",
        str(len(result.under.refused)),
        str(len(result.watched.not_ready)),
        f"+{grown / 2**20:.0f} MiB {name}" if grown >= 2**20 else "flat",
    )


def table(results: Sequence[Result]) -> Table:
    """Return the table for a terminal."""
    found = Table(*COLUMNS)
    for result in results:
        found.add_row(*row(result))
    return found


def markdown(results: Sequence[Result]) -> str:
    """Return the table for the page."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(row(result) for result in results)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def written(page: str, results: Sequence[Result]) -> str:
    """Return the page with the figures of a run. Raise LookupError if it has no place for them."""
    pattern = re.compile(f"({re.escape(BEGIN)}\n).*?({re.escape(END)})", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise LookupError(f"the page has no place, or more than one, between {BEGIN} and {END}")
    return pattern.sub(lambda place: f"{place[1]}\n{markdown(results)}\n\n{place[2]}", page)


def write_page(results: Sequence[Result], path: Path = PAGE) -> None:
    """Write the figures into the page. Raise LookupError as `written` does."""
    path.write_text(written(path.read_text(), results))
