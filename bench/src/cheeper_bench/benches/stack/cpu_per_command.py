"""Commands at an even rate: the CPU time that one costs in all processes, and the response to it.

Half are posts and half follows, asynchronous as they are by default: the response is 202 once Kafka has the command.
A follow leads to a second command, a notification, whose cost is in the follow's. The load is open: commands are due at
an even rate whatever the answers do, and a latency counts from the moment at which a command was due.

The CPU time is that of the whole stack, one process a role, from the first command until everything is in the views,
over the number of commands: what the processes take at rest is in it. A column says what each role and server took of
it; the load generator is not in it, the stack's runner is. *Refused* are the responses 429 and 5xx, and those that
never came; where there are any, the stack's logs are kept.

*hello* is a request of a Litestar route that returns a constant, in CPU time, for a ratio that other machines have too.
The stack, the load and "hello" have all cores, each in its turn, with all durability on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from cheeper_bench.benches.reads.timeline_read import load_of
from cheeper_bench.environment import graph, usage
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.stack import Whole, whole
from cheeper_bench.load import commands, http_load
from cheeper_bench.load.http_line import request
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Side, Sides
from cheeper_bench.measuring.spread import percentile

_RATES: Final = (100, 200)
_PATIENCE: Final = 120.0
_CONNECTIONS: Final = 32
COST: Final = "CPU ms/command"
HELLO: Final = "hello"


class _Sizes(msgspec.Struct, frozen=True):
    authors: int
    follows: int  # an author
    seconds: float
    part: float = 1.0  # of the rates


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(40, 4, 1.0, 0.1),
    "guard": _Sizes(300, 10, 3.0),
    "short": _Sizes(962, 20, 5.0),
    "long": _Sizes(962, 39, 30.0),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    world = graph.power_law(sizes.authors, follows=sizes.follows, cheeps=2)
    draw = random.Random(1)  # noqa: S311 - repeatable, no secret
    hello = environment.start("cheeper_bench.baselines.apps", "hello")
    hello.wait_ready("/hello")
    with whole(environment, world, audited=False) as stack:
        sides: dict[str, Side] = {
            side_of(rate): _commands(environment, stack, draw, rate * sizes.part, sizes.seconds) for rate in _RATES
        }
        constant = load_of(environment, hello, [("hello", request("GET", "/hello"))], 1.0)
        yield {**sides, HELLO: lambda: {COST: constant()["CPU ms/request"]}}


def side_of(rate: int) -> str:
    """Return the name of the side of a rate, commands a second."""
    return f"at {rate} commands/s"


def _commands(environment: Environment, stack: Whole, draw: random.Random, rate: float, seconds: float) -> Side:
    def run() -> Figures:
        plan = http_load.Plan(
            port=stack.port,
            seconds=seconds,
            rate=rate,
            connections=_CONNECTIONS,
            requests=commands.some(stack.graph, draw, int(rate * (seconds + 1)), follows=0.5),
        )
        before = usage.cpu_seconds(stack.stack)
        seen = http_load.send(plan, environment.cores.all)
        refused = stack.note_refused(seen.refused, seen.unanswered)
        stack.settle(_PATIENCE)
        taken = usage.risen(before, usage.cpu_seconds(stack.stack))
        return {
            COST: sum(taken.values()) * 1000 / seen.sent,
            "p50 ms": percentile(seen.all, 50),
            "p99 ms": percentile(seen.all, 99),
            "refused": refused,
            **{f"{role} ms": value * 1000 / seen.sent for role, value in taken.items()},
        }

    return run


def _at_most(rate: int, figure: str, wanted: float | None, what: str, unit: str) -> Reach:
    label = f"{what}, {rate} commands/s"
    return Reach(label=label, side=side_of(rate), figure=figure, wanted=wanted, at="most", unit=unit)


BENCH: Final = Bench(
    name="cpu_per_command",
    title="Commands at an even rate",
    open=_open,
    lengths=("tiny", "short", "guard"),
    reaches=(
        _at_most(100, COST, 5, "CPU", "ms/command"),
        _at_most(200, COST, 4, "CPU", "ms/command"),
        _at_most(100, "p50 ms", None, "response p50", "ms"),
        _at_most(100, "p99 ms", None, "response p99", "ms"),
        _at_most(200, "p50 ms", 10, "response p50", "ms"),
        _at_most(200, "p99 ms", 40, "response p99", "ms"),
        _at_most(200, "refused", 0, "refused", ""),
        Reach(label="CPU over hello's, 200 commands/s", side=side_of(200), figure=COST, over=HELLO),
    ),
)
