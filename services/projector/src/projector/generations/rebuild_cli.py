"""`projector rebuild` and `projector compare`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event as Flag
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from cheeper_runtime.poison_limit import TooMuchPoisonError
from projector import bootstrap
from projector.consumer.loop import Consumer
from projector.consumer.rate import Rate
from projector.generations.cli import WHAT_RESTORED_MEANS
from projector.generations.comparison import compare
from projector.generations.rebuild import Rebuild, Stopped
from projector.generations.registry import GenerationError, Generations
from projector.kafka.log_end import EventLogEnds
from projector.ops import logs
from projector.ops.health import Health
from projector.ops.options import positive
from projector.projections import VERSIONS
from projector.settings import Settings
from projector.stores.base import Store, StoreUnavailableError

ROLES: Final = ("rebuild", "compare")
_LINE_PERIOD: Final = 5.0
"""Seconds between two lines of progress where there is no terminal."""


def add_to(roles: Any) -> None:
    """Adds the commands to the command line's subparsers."""
    again = roles.add_parser("rebuild", help="fill a new generation of views from the log, beside the live one")
    again.add_argument("--store", choices=(*bootstrap.STORES, "all"), required=True)
    again.add_argument("--rate", type=positive, metavar="EVENTS_PER_SECOND", help="in each store, at most")
    again.add_argument("--switch", action="store_true", help="show it to readers as soon as it lacks nothing")
    again.add_argument("--restored", action="store_true", help=WHAT_RESTORED_MEANS)
    both = roles.add_parser("compare", help="compare a generation with the live one, view by view; 1 where they differ")
    both.add_argument("--store", choices=bootstrap.STORES, required=True)
    both.add_argument("--generation", type=positive, required=True, metavar="N")


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Does it; the exit code."""
    try:
        return _compare(settings, options) if options.role == "compare" else _rebuild(settings, options)
    except (StoreUnavailableError, GenerationError) as error:
        sys.stderr.write(f"projector: {error}\n")
    except TooMuchPoisonError as error:
        sys.stderr.write(f"projector: {error}, the last one: {error.last_error}\n")
    except Stopped:
        sys.stderr.write("projector: stopped before it was through: run it again, and it goes on\n")
    except KeyboardInterrupt:
        return 130
    return 1


class _Workshop(msgspec.Struct, frozen=True):
    settings: Settings
    name: str
    generations: Generations
    ends: EventLogEnds
    rate: int | None

    def consumer(self, number: int, health: Health, stop: Flag) -> Consumer:
        return bootstrap.consumer_of(self.settings, self.name, number, health=health, stop=stop, rate=Rate(self.rate))

    def store(self, number: int) -> Store:
        return bootstrap.store_of(self.settings, self.name, number)

    def sides(self, live: int, other: int) -> Any:
        return bootstrap.comparison(self.settings, self.name, live, other)


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


class _Shown:
    """A bar on a terminal; lines elsewhere, one every few seconds."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name
        self._task = progress.add_task(name, total=None)
        self._began, self._first, self._told = time.monotonic(), -1, 0.0

    def moved(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)
        if self._first < 0:
            self._began, self._first = time.monotonic(), done
        whole = done >= total
        if not self._progress.console.is_terminal and (whole or time.monotonic() - self._told > _LINE_PERIOD):
            self._told = time.monotonic()
            speed = (done - self._first) / max(self._told - self._began, 0.001)
            left = f", {(total - done) / speed:,.0f} s left" if speed and not whole else ""
            self.say(f"{self._name}: {done:,} of {total:,} events, {speed:,.0f}/s{left}")

    def say(self, line: str) -> None:
        self._progress.console.print(line, highlight=False, soft_wrap=True, markup=False)


def _rebuild(settings: Settings, options: argparse.Namespace) -> int:
    logs.configure(options.role, settings.log_format, "warning")
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    names = bootstrap.STORES if options.store == "all" else (options.store,)
    console = Console()
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, disable=not console.is_terminal)

    def one(name: str) -> None:
        with closing(bootstrap.generations(settings, name)) as generations:
            shop = _Workshop(settings, name, generations, bootstrap.event_log_ends(settings), options.rate)
            shown = _Shown(progress, name)
            Rebuild(shop, VERSIONS[name], shown, stop).run(switch=options.switch, restored=options.restored)

    with progress, ThreadPoolExecutor(len(names)) as threads:
        running = [threads.submit(one, name) for name in names]
        for each in running:
            each.result()
    return 0


def _compare(settings: Settings, options: argparse.Namespace) -> int:
    name, other = options.store, bootstrap.generation_or_live(settings, options.store, options.generation)
    live = bootstrap.generation_or_live(settings, name, None)
    if live == other:
        raise GenerationError(f"generation {other} is the live one")
    with closing(bootstrap.comparison(settings, name, live, other)) as sides:
        found = compare(sides)
    for line in found.lines():
        sys.stdout.write(line + "\n")
    return 0 if found.equal else 1
