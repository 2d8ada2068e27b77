"""The search for the highest rate at which a contender still answers in time, and what a request costs it there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from cheeper_bench.environment import usage
from cheeper_bench.environment.cores import Cpus
from cheeper_bench.environment.stack import Whole
from cheeper_bench.errors import BenchError
from cheeper_bench.load import http_load
from cheeper_bench.measuring.bench import Figures
from cheeper_bench.measuring.spread import percentile

MOST_MS: Final = 50.0
"""The p99 below which a rate is reached."""
_STEP: Final = 1.2
_LOWEST: Final = 10.0
_MOST_STEPS: Final = 12
_SETTLE_SECONDS: Final = 3.0
_CALM_SECONDS: Final = 120.0
_CONNECTIONS: Final = 64

Request = tuple[str, bytes]


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A system that a load is sent to.

    `cpu` are the CPU seconds of its processes so far by name; `settled` waits until everything that was accepted can be
    read and returns False if that takes too long; `note_refused` takes the refused requests by status and the number of
    those without a response, and returns their sum.
    """

    port: int
    cpu: Callable[[], dict[str, float]]
    settled: Callable[[], bool] = lambda: True
    note_refused: Callable[[Mapping[int, int], int], int] = lambda refused, late: sum(refused.values()) + late


def contender(stack: Whole) -> Contender:
    """Return Cheeper's whole stack as a contender, its runner not counted."""

    def cpu() -> dict[str, float]:
        return {name: taken for name, taken in usage.cpu_seconds(stack.stack).items() if name != usage.RUNNER}

    def settled() -> bool:
        try:
            stack.settle(_SETTLE_SECONDS)
        except BenchError:
            stack.settle(_CALM_SECONDS)  # for a fair next step
            return False
        return True

    return Contender(port=stack.port, cpu=cpu, settled=settled, note_refused=stack.note_refused)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """The findings at one rate: p99 in ms or None if the contender did not keep up, the number of refused requests, CPU
    ms per request by process, and the seconds of a request, the wait for everything to be visible included.
    """

    p99: float | None
    refused: int
    cpu: dict[str, float]
    seconds: float

    def figures(self) -> Figures:
        """Return the cost of a request, whole and by process."""
        return {"CPU ms/request": sum(self.cpu.values()), **{f"{name} ms": cost for name, cost in self.cpu.items()}}


class Search:
    """Finds the highest rate, from the one that was found before."""

    def __init__(
        self, contender: Contender, requests: Callable[[int], list[Request]], cpus: Cpus, seconds: float, first: float
    ) -> None:
        self._contender, self._requests, self._cpus, self._seconds = contender, requests, cpus, seconds
        self._rate = first

    def run(self) -> Figures:
        """Search, and return the rate, its p99, and the number of requests refused at it and above."""
        return self._search()[0]

    def with_cost(self) -> Figures:
        """Search as `run` does, and add what a request costs at the highest rate, or at the last if none is reached."""
        figures, cost = self._search()
        return {**figures, **cost.figures()}

    def at(self, rate: float) -> Figures:
        """Return the p99 at one rate and what a request costs there above what the processes take at rest."""
        at_rest, step = self._at_rest(), self._step(rate)
        above = {name: max(0.0, cost - at_rest[name] * 1000 * step.seconds) for name, cost in step.cpu.items()}
        marginal = msgspec.structs.replace(step, cpu=above)
        rest = 100 * sum(at_rest.values())
        return {"p99 ms": _ms(step.p99), **marginal.figures(), "refused": step.refused, "% of a core at rest": rest}

    def _at_rest(self) -> dict[str, float]:
        """Return the CPU seconds per second by process while nothing is sent."""
        before, began = self._contender.cpu(), time.monotonic()
        time.sleep(self._seconds)
        taken = usage.risen(before, self._contender.cpu())
        return {name: seconds / (time.monotonic() - began) for name, seconds in taken.items()}

    def _search(self) -> tuple[Figures, Step]:
        steps: dict[float, Step] = {}

        def p99_at(rate: float) -> float | None:
            steps[rate] = self._step(rate)
            return steps[rate].p99

        best = highest(self._rate, p99_at)
        self._rate = max(best.rate, _LOWEST)
        found = steps.get(best.rate, list(steps.values())[-1])
        refused = sum(step.refused for step in steps.values())
        return {"requests/s": best.rate, "p99 ms": _ms(found.p99), "refused": refused}, found

    def _step(self, rate: float) -> Step:
        plan = http_load.Plan(
            port=self._contender.port,
            seconds=self._seconds,
            rate=rate,
            requests=self._requests(int(rate * (self._seconds + 1))),
            connections=_CONNECTIONS,
        )
        before, began = self._contender.cpu(), time.monotonic()
        seen = http_load.send(plan, self._cpus)
        refused = self._contender.note_refused(seen.refused, seen.unanswered)
        settled = self._contender.settled()
        taken = usage.risen(before, self._contender.cpu())
        kept_up = not refused and settled and len(seen.all) >= 0.95 * rate * self._seconds
        return Step(
            p99=percentile(seen.all, 99) if kept_up else None,
            refused=refused,
            cpu={name: seconds * 1000 / max(1, seen.sent) for name, seconds in taken.items()},
            seconds=(time.monotonic() - began) / max(1, seen.sent),
        )


def _ms(p99: float | None) -> float:
    """Return a p99 that a file can hold: that of a rate which was not kept up with is no shorter than a patience."""
    return 1000 * http_load.PATIENCE if p99 is None else p99


class Best(msgspec.Struct, frozen=True):
    """A rate and the p99 at it; 0 and infinity where not even the lowest was reached."""

    rate: float
    p99: float


def highest(first: float, p99_at: Callable[[float], float | None]) -> Best:
    """Return the highest rate reached in steps of a fifth, up from `first` while it is reached, or down until it is."""
    best, rate, up = Best(0.0, float("inf")), first, None
    for _ in range(_MOST_STEPS):
        p99 = p99_at(rate)
        reached = p99 is not None and p99 < MOST_MS
        if reached and p99 is not None:
            best = Best(rate, p99)
        if up is None:
            up = reached
        if reached is not up:  # it was the last that way, or the first again
            break
        rate = rate * _STEP if up else rate / _STEP
        if rate < _LOWEST:
            break
    return best
