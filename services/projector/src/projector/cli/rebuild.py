"""`projector rebuild`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event as Flag
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from cheeper_contracts.views.generations import VERSIONS
from cheeper_runtime import logs
from cheeper_runtime.dead_letters.poison_limit import TooMuchPoisonError
from projector import bootstrap
from projector.cli.generations import RESTORED_HELP
from projector.cli.options import SILENT, positive
from projector.consumer.rate import Rate
from projector.generations.rebuild import Rebuild, RebuildFactory, Stopped
from projector.settings import Settings
from projector.stores.base import StoreUnavailableError
from projector.stores.registry import GenerationError, Generations

ROLES: Final = ("rebuild",)
_LINE_PERIOD: Final = 5.0
"""Seconds between two lines of progress without a terminal."""


def add_to(roles: Any) -> None:
    """Add the command to the command line's subparsers."""
    rebuild = roles.add_parser("rebuild", help="fill a new generation of views from the log, beside the live one")
    rebuild.add_argument("--store", choices=(*bootstrap.STORES, "all"), required=True)
    rebuild.add_argument("--rate", type=positive, metavar="EVENTS_PER_SECOND", help="in each store, at most")
    rebuild.add_argument(
        "--switch", action="store_true", help="show it to readers once it lacks nothing and the audit has compared it"
    )
    rebuild.add_argument("--restored", action="store_true", help=RESTORED_HELP)


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    logs.configure(f"projector {options.role}", settings.log_format, "warning", silent=SILENT)
    try:
        _rebuild(settings, options)
    except (StoreUnavailableError, GenerationError) as error:
        sys.stderr.write(f"projector: {error}\n")
    except TooMuchPoisonError as error:
        sys.stderr.write(f"projector: {error}, the last one: {error.last_error}\n")
    except Stopped:
        sys.stderr.write("projector: stopped before it was complete: the same command resumes it\n")
    except KeyboardInterrupt:
        return 130
    else:
        return 0
    return 1


def factory(settings: Settings, generations: Generations, rate: int | None = None) -> RebuildFactory:
    """Return what makes the parts of a rebuild of these generations' store, at most `rate` events a second."""
    name = generations.name
    return RebuildFactory(
        generations=generations,
        log_end=bootstrap.log_end(settings),
        store=bootstrap.backend(settings, name).store,
        consumer=lambda number, readiness, stop: bootstrap.consumer(
            settings, name, number, readiness=readiness, stop=stop, rate=Rate(rate)
        ),
    )


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


class _Display:
    """A bar on a terminal; lines elsewhere, one every few seconds."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name
        self._task = progress.add_task(name, total=None)
        self._began, self._first, self._printed = time.monotonic(), -1, 0.0

    def moved(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)
        if self._first < 0:
            self._began, self._first = time.monotonic(), done
        whole = done >= total
        if not self._progress.console.is_terminal and (whole or time.monotonic() - self._printed > _LINE_PERIOD):
            self._printed = time.monotonic()
            speed = (done - self._first) / max(self._printed - self._began, 0.001)
            left = f", {(total - done) / speed:,.0f} s left" if speed and not whole else ""
            self.print(f"{self._name}: {done:,} of {total:,} events, {speed:,.0f}/s{left}")

    def print(self, line: str) -> None:
        self._progress.console.print(line, highlight=False, soft_wrap=True, markup=False)


def _rebuild(settings: Settings, options: argparse.Namespace) -> None:
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    names = bootstrap.STORES if options.store == "all" else (options.store,)
    console = Console()
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, disable=not console.is_terminal)

    def rebuild(name: str) -> None:
        with closing(bootstrap.backend(settings, name).generations()) as generations:
            parts = factory(settings, generations, options.rate)
            one = Rebuild(parts, VERSIONS[name], _Display(progress, name), stop)
            one.run(switch=options.switch, restored=options.restored)

    with progress, ThreadPoolExecutor(len(names)) as threads:
        for running in [threads.submit(rebuild, name) for name in names]:
            running.result()
