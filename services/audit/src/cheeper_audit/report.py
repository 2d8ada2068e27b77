"""The output: differences go to stdout, a line each or as JSON lines, and all else to stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from cheeper_audit.difference import Difference


class _Rate(ProgressColumn):
    """The column of the rate per second."""

    def render(self, task: Task) -> Text:
        """Return the task's rate, or an empty text before it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


class Report:
    """Prints differences as they are found, and counts them."""

    def __init__(self, out: TextIO, err: TextIO, *, as_json: bool) -> None:
        self._out = out
        self._as_json = as_json
        self._console = Console(file=err, highlight=False, markup=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description:>13}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            redirect_stdout=False,
            disable=not self._console.is_terminal,
        )
        self.differences = 0
        self.left = 0
        self.compared: dict[str, int] = {}

    @contextmanager
    def bars(self) -> Iterator[None]:
        """Show progress bars on a terminal meanwhile."""
        with self._bars:
            yield

    @contextmanager
    def phase(self, name: str, total: int) -> Iterator[Callable[[int], object]]:
        """Show a bar for `total` items, or print a line at the end if there is no terminal. Give the bar's tick."""
        task, began = self._bars.add_task(name, total=total), time.monotonic()
        self.compared[name] = 0

        def tick(done: int) -> None:
            self.compared[name] += done
            self._bars.advance(task, done)

        yield tick
        self._bars.update(task, total=self.compared[name])  # some may have come since it began
        seconds = time.monotonic() - began
        if not self._console.is_terminal:
            rate = self.compared[name] / seconds if seconds else 0
            self.print(f"{name}: {self.compared[name]:,} in {seconds:.1f} s, {rate:,.0f}/s")

    def add(self, found: Iterable[Difference], left: frozenset[tuple[str, str, str]] | None) -> None:
        """Print differences. `left` are the places that still differ after repairs, or None without repairs."""
        for each in found:
            repaired = left is not None and each.place not in left
            self.differences += 1
            self.left += not repaired
            if self._as_json:
                line = msgspec.json.encode(_Line(each.store, each.view, each.id, each.faults, repaired)).decode()
            else:
                line = each.line + ("; repaired" if repaired else "; not repaired" if left is not None else "")
            with self._without_bars():
                self._out.write(f"{line}\n")
                self._out.flush()

    @contextmanager
    def _without_bars(self) -> Iterator[None]:
        """Hide the bars meanwhile, since both may go to one terminal."""
        if not self._bars.live.is_started:
            yield
            return
        self._bars.stop()
        yield
        self._bars.start()

    def print(self, sentence: str) -> None:
        """Print a sentence to stderr."""
        self._console.print(sentence)


class _Line(msgspec.Struct, frozen=True):
    """A difference as JSON."""

    store: str
    view: str
    id: str
    faults: tuple[object, ...]
    repaired: bool
