"""`make attack`: callers that spend as much as they can, each beside a good client in the same run.

Against a stack of its own on this machine. Windows with and without an attack take turns. The good client's p99 under
attack is at most twice the one without, none of its requests is refused, every process stays ready, none is restarted,
and none grows. Exit code 0 if all of it is so, 1 if not, 2 if the stack could not be started.
"""

from __future__ import annotations

import argparse
import asyncio

from rich.console import Console

from cheeper_e2e.console import measured, progress
from cheeper_e2e.hostile.attack import report
from cheeper_e2e.hostile.attack.attacks.registry import ATTACKS
from cheeper_e2e.hostile.attack.judgement import Result, faults
from cheeper_e2e.hostile.attack.run import BRIEF, LONG, carry_out
from cheeper_e2e.hostile.attack.scene import FULL, SHORT, number_of_steps, seed
from cheeper_e2e.http.client import Client
from cheeper_local.errors import LocalError
from cheeper_local.running import RunningStack

_PATIENCE_SECONDS = 120
_SEEDING_CONNECTIONS = 32


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _options(arguments)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        with RunningStack.temporary() as stack:
            results = asyncio.run(attack(stack, options, console))
    except LocalError as error:
        console.print(str(error))
        return 2
    console.print(report.table(results))
    broken = {result.attack.name: faults(result, judge_speed=not options.short) for result in results}
    for name, found in broken.items():
        for sentence in found:
            console.print(f"{name}: {sentence}")
    if options.page:
        report.write_page(results)
    return 1 if any(broken.values()) else 0


async def attack(stack: RunningStack, options: argparse.Namespace, console: Console) -> list[Result]:
    """Seed the scene and carry out the attacks that were chosen."""
    scale, windows = (SHORT, BRIEF) if options.short else (FULL, LONG)
    chosen = [ATTACKS[name] for name in options.only or ATTACKS]
    with progress(console) as show:
        with measured(show, {}, "scene", number_of_steps(scale)) as tick:
            async with Client(stack.gateway, patience=_PATIENCE_SECONDS, connections=_SEEDING_CONNECTIONS) as client:
                scene = await seed(client, scale, tick)
        results = []
        for each in chosen:
            results.append(await carry_out(stack, each, scene, scale, windows))
            _say(console, results[-1])
    return results


def _say(console: Console, result: Result) -> None:
    statuses: dict[int, int] = {}
    for strikes in result.strikes:
        for status, number in strikes.statuses.items():
            statuses[status] = statuses.get(status, 0) + number
    console.print(f"{'  '.join(report.row(result))}  responses {dict(sorted(statuses.items()))}")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.hostile.attack", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ATTACKS), help="attacks to carry out (default: all)")
    parser.add_argument("--short", action="store_true", help="a small scene and brief windows; the ratio is not judged")
    parser.add_argument("--page", action="store_true", help="write the figures into docs/guarantees/callers.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
