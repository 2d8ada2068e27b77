"""`make quiet`: a stack that is well and in use fires no alert, however long.

It runs a stack of its own with Prometheus and the rules in their real times. Exit code 0 where no alert fired, 1 where
one did or the run proves nothing, 2 where it could not be tried.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack, closing
from typing import Any, Final, Protocol

from cheeper_e2e.console import positive
from cheeper_e2e.faults.alerting.prometheus import Prometheus
from cheeper_e2e.faults.alerting.usage import Usage
from cheeper_local.errors import LocalError
from cheeper_local.runner.prometheus import HOW_TO_GET_IT, program
from cheeper_local.running import RunningStack

_USED: Final = (
    "cheeper_read_api_requests_total",
    "cheeper_write_api_commands_total",
    "cheeper_projector_events_applied_total",
)
"""Each grows in a stack that is in use."""
_STEP_SECONDS: Final = 60.0


class Observed(Protocol):
    """The Prometheus of a run."""

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples of an expression now."""

    def rules(self) -> Iterable[dict[str, Any]]:
        """Return all rules, each with its health."""


def fired(prometheus: Observed, seconds: float) -> frozenset[str]:
    """Return the names of the alerts that fired at any time in the last seconds."""
    ever = f'sum by (alertname) (count_over_time(ALERTS{{alertstate="firing"}}[{max(1, round(seconds))}s]))'
    return frozenset(each["metric"]["alertname"] for each in prometheus.query(ever))


def reasons_for_doubt(prometheus: Observed, seconds: float) -> list[str]:
    """Return why a run of that long proves nothing: a rule that fails, or a stack that nobody used."""
    doubts = [f"the rule {rule['name']} is {rule['health']}" for rule in prometheus.rules() if rule["health"] != "ok"]
    for counter in _USED:
        growth = prometheus.query(f"sum(increase({counter}[{max(1, round(seconds))}s])) > 0")
        doubts += [] if growth else [f"{counter} did not grow"]
    return doubts


def watch(prometheus: Observed, seconds: float) -> frozenset[str]:
    """Wait that long, or until an alert fires, and return those that fired."""
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds and not fired(prometheus, spent + _STEP_SECONDS):
        time.sleep(min(_STEP_SECONDS, seconds - spent))
    return fired(prometheus, time.monotonic() - began + _STEP_SECONDS)


def run(minutes: float, clients: int) -> int:
    """Run a stack, use it by so many clients, and return the exit code. Raise LocalError."""
    if program() is None:
        raise LocalError(HOW_TO_GET_IT)
    with RunningStack.temporary(environment={"OBSERVE": "1"}) as stack, ExitStack() as until_the_end:
        prometheus = until_the_end.enter_context(closing(Prometheus(stack)))
        for _ in range(clients):
            usage = until_the_end.enter_context(closing(Usage(stack.gateway)))
            until_the_end.enter_context(usage.goes_on())
        alerts = watch(prometheus, minutes * 60)
        doubts = reasons_for_doubt(prometheus, minutes * 60)
    for alert in sorted(alerts):
        _print(f"{alert} fired")
    for doubt in doubts:
        _print(f"this run proves nothing: {doubt}")
    if not alerts and not doubts:
        _print(f"no alert fired in {minutes:g} minutes of use by {clients} clients")
    return 1 if alerts or doubts else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.faults.alerting.quiet", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long")
    parser.add_argument("--clients", type=positive, default=1, help="how many use it, each with ten requests a second")
    options = parser.parse_args(arguments)
    try:
        return run(options.minutes, options.clients)
    except LocalError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the output of a command line
        return 2


def _print(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - the output of a command line


if __name__ == "__main__":
    raise SystemExit(main())
