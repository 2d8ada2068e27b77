"""Command lines here: values of their options, and the progress bars of long runs."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

Tick = Callable[[], object]
"""The callback of a long run after each step."""


def no_tick() -> None:
    """For a run without a terminal."""


class Rate(ProgressColumn):
    """A column with the rate per second."""

    def render(self, task: Task) -> Text:
        """The task's rate, nothing before it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


def progress(console: Console) -> Progress:
    """Bars that show on a terminal only."""
    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(compact=True),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


@contextmanager
def measured(show: Progress, seconds: dict[str, float], name: str, total: int) -> Iterator[Tick]:
    """A bar for a phase of so many ticks, and its seconds under its name; a line at its end where there is no terminal.

    Gives what to call for a tick.
    """
    task = show.add_task(name, total=total)
    began = time.monotonic()
    yield lambda: show.advance(task)
    seconds[name] = time.monotonic() - began
    if not show.console.is_terminal:
        show.console.print(f"{name}: {total:,} in {seconds[name]:.1f} s")


def positive(text: str) -> int:
    """Return a whole number from 1 on. Raise ArgumentTypeError, or ValueError if the text is not a number."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 at least")
    return number
