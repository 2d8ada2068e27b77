"""The command line. Exit codes: 0 all is equal (with --repair: is now), 1 something differs, 2 it could not be tried, 3
the system is not at rest. With --lag: 0 every view is within its objective, 1 one is not, 2 a server is unavailable.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event as Flag
from typing import Final

import msgspec

from cheeper_audit import bootstrap, checkpoints
from cheeper_audit.comparison.auditor import Auditor
from cheeper_audit.comparison.in_service import InService
from cheeper_audit.comparison.quiescence import Comparison, NotQuiescentError, Outcome, Quiescence
from cheeper_audit.comparison.watch import Watch
from cheeper_audit.lag.meter import Lag, Worst
from cheeper_audit.lag.snapshot import take
from cheeper_audit.report import Report
from cheeper_audit.settings import from_env
from cheeper_audit.stores import OtherVersionError, StoreUnavailableError
from cheeper_audit.views.table import SWEEPS
from cheeper_audit.views.view import Stores
from cheeper_runtime.settings import SettingError

EQUAL: Final = 0
DIFFERENT: Final = 1
NOT_TRIED: Final = 2
NOT_AT_REST: Final = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit."""
    options = _options(arguments)
    report = Report(sys.stdout, sys.stderr, as_json=options.json)
    try:
        if options.lag:
            sys.exit(print_lag(options))
        with bootstrap.stores(from_env(os.environ), options.store, options.generation) as stores:
            sys.exit(watch(stores, report, options) if options.watch else audit(stores, report, options))
    except (SettingError, StoreUnavailableError, OtherVersionError) as error:
        report.print(f"audit: {error}")
        sys.exit(NOT_TRIED)
    except NotQuiescentError as error:
        report.print(str(error))
        sys.exit(NOT_AT_REST)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # whoever read the differences has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


def audit(stores: Stores, report: Report, options: argparse.Namespace) -> int:
    """Compare everything once. Return the exit code."""
    compare: Callable[[Comparison], Outcome]
    if options.in_service:
        in_service = InService(stores, patience=options.patience)
        compare, where = in_service.audit, in_service.read_checkpoints()
    else:
        at_rest = Quiescence(stores, patience=options.patience)
        compare, (_, where) = partial(at_rest.audit, repair=options.repair), at_rest.compare(lambda: None)
    for store, number in checkpoints.parked(stores).items():
        repairing = " so that it is not repaired: replay or drop them first" if options.repair else ""
        report.print(f"{store}: {number:,} messages are parked, whose effects it lacks{repairing}.")
    began, undecided = time.monotonic(), 0
    with report.bars():
        for outcome in Auditor(stores, compare, report.phase).run():
            report.add(outcome.found, outcome.left if options.repair else None)
            undecided += outcome.undecided
    what = ", ".join(f"{number:,} {name}" for name, number in report.compared.items())
    number = sum(len(sweep.of(stores.audited)) for sweep in SWEEPS)
    shown = ", ".join(f"{store} generation {state.generation}" for store, state in where.stores.items())
    seconds = time.monotonic() - began
    report.print(f"Compared {what} in {number} views of {shown} in {seconds:.1f} s: {_verdict(report, undecided)}.")
    if report.left:
        return DIFFERENT
    if options.generation is not None and stores.record_comparison():
        report.print(f"{options.store} generation {options.generation} can be switched to.")
    return EQUAL


def print_lag(options: argparse.Namespace) -> int:
    """Print the lag of the views. Return the exit code."""
    with bootstrap.sources(from_env(os.environ)) as sources:
        snapshot = take(sources)
    text = msgspec.json.encode(snapshot).decode() if options.json else "\n".join(snapshot.lines())
    sys.stdout.write(f"{text}\n")
    if not snapshot.is_whole:
        return NOT_TRIED
    return EQUAL if snapshot.is_within else DIFFERENT


def watch(stores: Stores, report: Report, options: argparse.Namespace) -> int:
    """Compare samples until a signal or the end of the time. Return the exit code."""
    stop, ends = Flag(), None if options.seconds is None else time.monotonic() + options.seconds
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def go_on() -> bool:
        return not stop.is_set() and (ends is None or time.monotonic() < ends)

    worst = Worst()

    def report_lag(lags: list[Lag], tasks: int) -> None:
        if sentence := worst.add(time.monotonic(), lags, tasks):
            report.print(sentence)

    seen, undecided = 0, 0
    for sampled in Watch(stores, draw=random.Random(options.seed), report=report_lag, go_on=go_on).run():  # noqa: S311 - a sample
        seen += sampled.ids
        undecided += sampled.undecided
        report.add(sampled.found, None)
    tables = ", ".join(sweep.table for sweep in SWEEPS)
    report.print(f"Sampled {seen:,} ids of {tables}: {_verdict(report, undecided)}.")
    return DIFFERENT if report.differences else EQUAL


def _verdict(report: Report, undecided: int) -> str:
    open_ones = f", {undecided:,} could not be decided" if undecided else ""
    if not report.differences:
        return f"no difference{open_ones}"
    repaired = report.differences - report.left
    plural = "s" if report.differences > 1 else ""
    return f"{report.differences:,} difference{plural}" + (f", {repaired:,} repaired" if repaired else "") + open_ones


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cheeper-audit", description="Compares every view with the write model.")
    parser.add_argument("--json", action="store_true", help="print differences as JSON lines, or the lag as JSON")
    parser.add_argument("--patience", type=_seconds, help="seconds to wait for rest (10), or --in-service for lag (60)")
    parser.add_argument("--store", choices=("redis", "mongo"), help="audit the views of this store alone")
    parser.add_argument(
        "--generation", type=_number, help="with --store: another generation than the live one, as one that is rebuilt"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--repair", action="store_true", help="repair what differs, and compare it again")
    way.add_argument("--in-service", action="store_true", help="compare everything while the system is in use")
    way.add_argument("--watch", action="store_true", help="compare samples under load, and report the lag")
    way.add_argument("--lag", action="store_true", help="print the lag of the views, what waits, and why")
    parser.add_argument("--for", dest="seconds", type=_seconds, help="with --watch: end after so many seconds")
    parser.add_argument("--seed", type=int, help="with --watch: draws the samples")
    options = parser.parse_args(arguments)
    if options.patience is None:
        options.patience = 60.0 if options.in_service else 10.0
    if options.seconds is not None and not options.watch:
        parser.error("--for goes with --watch")
    if options.generation is not None and options.store is None:
        parser.error("--generation goes with --store")
    return options


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError("must be a number from 1 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError("must be a number of seconds")
    return seconds
