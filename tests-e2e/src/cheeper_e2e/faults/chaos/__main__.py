"""`make chaos`: random commands under a seeded draw of kills and worse, then every view against the write model.

Against a stack of its own, with two of each role, whose callers show tokens with AUTH=tokens. Each disturbance is a
line. Exit code 0 where all views are right, 1 where one is not or something else went wrong, with the seed and all that
was done; 2 where it could not be tried. The same seed and number of kills draw the same disturbances and the same
commands; how they meet in time is not fixed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from cheeper_e2e.console import positive
from cheeper_e2e.faults.chaos import plan
from cheeper_e2e.faults.chaos.run import ENVIRONMENT, Run
from cheeper_e2e.http.callers import AUTH, Callers, callers_of
from cheeper_local.errors import LocalError
from cheeper_local.running import RunningStack


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and hand back its exit code."""
    options = _options(arguments)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="cheeper-chaos-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where this runs as root
    try:
        with (
            callers_of(os.environ.get(AUTH)) as (callers, settings),
            RunningStack.start(folder, environment=ENVIRONMENT | settings) as stack,
        ):
            code = chaos(stack, callers, options, console)
    except LocalError as error:
        console.print(str(error))
        code = 2
    if code:
        console.print(f"Data and logs are left in {folder}.")
    else:
        shutil.rmtree(folder)
    return code


def chaos(stack: RunningStack, callers: Callers | None, options: argparse.Namespace, console: Console) -> int:
    """One run over the stack; the exit code."""
    kills, within = (None, options.minutes * 60) if options.minutes else (options.kills, None)
    planned = plan.rounds(options.seed, kills, outage=options.outage, durable=stack.broker != "tansu")
    run = Run(
        stack,
        seed=options.seed,
        rate=options.commands,
        patience=options.patience,
        say=console.print,
        callers=callers,
    )
    outcome = asyncio.run(run.of(planned, within=within))
    console.print(
        f"seed {options.seed}: {outcome.kills} kills in {outcome.disturbances} disturbances, {outcome.commands:,} "
        f"commands, {outcome.seconds:.0f} s"
    )
    console.print(outcome.wrong or "no difference")
    return 1 if outcome.wrong else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.faults.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="draws the disturbances and the commands")
    parser.add_argument("--kills", type=positive, default=plan.KILLS_A_ROUND, help="how many kill -9")
    parser.add_argument("--minutes", type=float, help="disturb for so long, instead of a number of kills")
    parser.add_argument("--commands", type=positive, default=40, help="about how many a second are sent")
    parser.add_argument("--outage", type=float, default=60, help="seconds for which a server stays stopped")
    parser.add_argument("--patience", type=float, default=300, help="seconds to wait for a system that stands still")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
