"""`make fuzz-http`: raw bytes at the gateway and at the services' own ports, none of which may do harm.

Every connection ends within a bound in well-formed responses or a close, never with 500, 502, 503 or 504; no process
is restarted, and good requests between the cases have their own responses. The same seed draws the same cases. Exit
code 0 if all of it is so, 1 if not, 2 if the stack could not be started.
"""

from __future__ import annotations

import argparse

from rich.console import Console

from cheeper_e2e.console import measured, positive, progress
from cheeper_e2e.hostile.raw_http.run import Fuzz, Outcome
from cheeper_local.errors import LocalError
from cheeper_local.running import RunningStack


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _options(arguments)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        with RunningStack.temporary() as stack:
            return fuzz(stack, options.cases, options.seed, console)
    except LocalError as error:
        console.print(str(error))
        return 2


def fuzz(stack: RunningStack, cases: int, seed: int, console: Console) -> int:
    """Send the cases to a stack and print the outcome. Return the exit code."""
    with progress(console) as show, measured(show, {}, "cases", cases) as tick:
        outcome = Fuzz(stack, tick).run(cases, seed)
    for line in lines(outcome, seed):
        console.print(line)
    return 1 if outcome.problems else 0


def lines(outcome: Outcome, seed: int) -> list[str]:
    """Return the report: what was sent, what came back, and each problem."""
    by_status = ", ".join(f"{status or 'closed'}: {number:,}" for status, number in sorted(outcome.statuses.items()))
    return [
        f"{outcome.cases:,} cases, seed {seed}, the longest connection {outcome.longest:.1f} s",
        f"responses by status: {by_status}",
        *(outcome.problems or ["no problem"]),
    ]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.hostile.raw_http", description=__doc__)
    parser.add_argument("--cases", type=positive, default=10_000, help="how many connections")
    parser.add_argument("--seed", type=int, default=1, help="draws the cases")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
