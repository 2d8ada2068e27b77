"""`make load`: sign up a graph's authors, let them follow each other, post a file's lines, and check every view.

Exit code 0 where every counter and timeline is as sent, 1 where one differs, 2 where it could not be tried.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Final

import httpx
import msgspec
from rich.console import Console
from rich.progress import Progress

from cheeper_e2e.console import measured, progress
from cheeper_e2e.http.client import Client, UnavailableError
from cheeper_e2e.load.check import Report, check
from cheeper_e2e.load.phases import PROBES, LoadError, follow_all, post_all, probe, settle, sign_up_all
from cheeper_e2e.load.workload import InputError, Workload, read_workload

SHOWN_DIFFERENCES: Final = 10


class Figures(msgspec.Struct):
    """The figures of a load: seconds by phase, and the probes' seconds from post to visible."""

    seconds: dict[str, float] = msgspec.field(default_factory=dict)
    probes: list[float] = msgspec.field(default_factory=list)
    unsettled: int = 0


async def load(
    client: Client, world: Workload, concurrency: int, patience: float, show: Progress
) -> tuple[Figures, Report]:
    """Send the world, wait for the views, compare them."""
    figures = Figures()

    phase = partial(measured, show, figures.seconds)
    with phase("sign-ups", len(world.authors)) as tick:
        await sign_up_all(client, world, concurrency, tick)
    with phase("follows", world.number_of_follows()) as tick:
        await follow_all(client, world, concurrency, tick)
    with phase("cheeps", world.number_of_posts()) as tick:
        await post_all(client, world, concurrency, tick)
    with phase("settled", len(world.authors)) as tick:
        figures.unsettled = await settle(client, world, concurrency, patience, tick)
    with phase("compared", len(world.authors)) as tick:
        report = await check(client, world, concurrency, tick)
    with phase("probes", PROBES) as tick:
        figures.probes = await probe(client, world, patience, tick)
    return figures, report


def print_figures(console: Console, world: Workload, figures: Figures, report: Report) -> None:
    """The rates, how many views match, and the first differences."""
    authors, seconds = len(world.authors), figures.seconds
    sent = {"sign-ups": authors, "follows": world.number_of_follows(), "cheeps": world.number_of_posts()}
    for name, number in sent.items():
        console.print(f"{name:>16}  {number:>7,}  {number / max(seconds[name], 1e-9):,.0f}/s")
    console.print(f"{'time to settle':>16}  {seconds['settled']:.1f} s")
    if figures.probes:
        percentiles = quantiles(figures.probes, n=100, method="inclusive")
        p50, p99 = percentiles[49] * 1000, percentiles[98] * 1000
        console.print(f"{'post to visible':>16}  p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    else:
        console.print(f"{'post to visible':>16}  not measured: all of this was loaded before")
    console.print(f"{'counters':>16}  {report.counters:,} of {authors:,} match")
    console.print(f"{'timelines':>16}  {report.timelines:,} of {authors:,} match, {report.entries:,} entries")
    if figures.unsettled:
        console.print(f"{figures.unsettled:,} authors' last commands never showed in the views.")
    for difference in report.differences[:SHOWN_DIFFERENCES]:
        console.print(f"  differs: {difference}")
    if len(report.differences) > SHOWN_DIFFERENCES:
        console.print(f"  … and {len(report.differences) - SHOWN_DIFFERENCES:,} more")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and hand back its exit code."""
    options = _options(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        world = read_workload(options.graph, options.texts, seed=options.seed, authors=options.authors)
        figures, report = asyncio.run(_run(options, world, console))
    except InputError as error:
        return _refuse(str(error))
    except (httpx.TransportError, UnavailableError) as error:
        return _refuse(f"Nothing responds at {options.url}: {error}")
    except LoadError as error:
        return _refuse(str(error))
    print_figures(console, world, figures, report)
    return 1 if report.differences or figures.unsettled else 0


async def _run(options: argparse.Namespace, world: Workload, console: Console) -> tuple[Figures, Report]:
    show = progress(console)
    async with Client(options.url, patience=options.patience, connections=options.concurrency) as client:
        with show:
            return await load(client, world, options.concurrency, options.patience, show)


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - what a command line says
    return 2


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.load", description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="friendships, a pair of numbers a line")
    parser.add_argument("--texts", type=Path, required=True, help="cheeps, one a line")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the gateway")
    parser.add_argument("--seed", type=int, default=1, help="draws the authors of the cheeps, and the sample")
    parser.add_argument("--authors", type=int, help="load a sample of so many authors (default: all)")
    parser.add_argument("--concurrency", type=int, default=32, help="requests at once")
    parser.add_argument("--patience", type=float, default=120, help="seconds to wait for a system that stands still")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
