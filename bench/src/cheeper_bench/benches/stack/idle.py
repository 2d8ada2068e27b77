"""The whole stack at rest, as `make up` runs it: nobody sends anything.

*CPU* is the processor time of all processes, in percent of one core; *memory* their megabytes, where pages that
several processes share are divided among them (PSS). A column says what each role and server has of it; the runner,
which starts and watches them, is no part of a deployment, but is in the sum. A small graph is in the stores, and the
stack has served a few commands before. Compared with nothing: a deployment pays this whether anybody comes or not.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cheeper_bench.environment import graph, usage
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.stack import Whole, whole
from cheeper_bench.load import commands, http_load
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Side, Sides

_SECONDS: Final[dict[Length, float]] = {"tiny": 1.0, "short": 8.0, "long": 60.0}
_CALM: Final = 10.0
"""Seconds until what a start leaves behind is done."""
_PATIENCE: Final = 120.0
_CPU, _MEMORY = "CPU, % of a core", "memory, MB"


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    world = graph.power_law(200, follows=10, cheeps=2)
    draw = random.Random(1)  # noqa: S311 - repeatable, no secret
    with whole(environment, world, audited=False, variables={"INSPECTOR": "on"}) as stack:
        plan = http_load.Plan(
            port=stack.port, seconds=2.0, rate=20, requests=commands.some(world, draw, 60, follows=0.5)
        )
        http_load.send(plan, environment.cores.all)
        stack.settle(_PATIENCE)
        time.sleep(0 if length == "tiny" else _CALM)
        yield {_CPU: _cpu(stack, _SECONDS[length]), _MEMORY: lambda: _summed(usage.memory_mb(stack.stack))}


def _cpu(stack: Whole, seconds: float) -> Side:
    def run() -> Figures:
        before, began = usage.cpu_seconds(stack.stack), time.monotonic()
        time.sleep(seconds)
        taken = usage.risen(before, usage.cpu_seconds(stack.stack))
        passed = time.monotonic() - began
        return _summed({role: value * 100 / passed for role, value in taken.items()})

    return run


def _summed(by_role: dict[str, float]) -> Figures:
    return {"all": sum(by_role.values()), **by_role}


BENCH: Final = Bench(
    name="idle",
    title="The stack at rest",
    open=_open,
    warm_up=False,
    reaches=(
        Reach(label="CPU of all processes", side=_CPU, figure="all", wanted=10, at="most", unit="% of a core"),
        Reach(label="memory of all processes", side=_MEMORY, figure="all", wanted=600, at="most", unit="MB"),
    ),
)
