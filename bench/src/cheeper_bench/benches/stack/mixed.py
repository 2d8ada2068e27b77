"""Mixed load over HTTP: the highest rate at which 99 of 100 requests are answered within 50 ms.

- *DeathStarBench's mix*: 60% a timeline, 30% an author's own cheeps, 10% a post.
- *Retwis's mix*: 50% a timeline, 30% a post, 15% a follow, 5% a sign-up.

Whom an author follows is drawn with a power law (1/rank), so that few have very many followers; who asks and who
posts is drawn evenly, as DeathStarBench does. The load is open: requests are due at an even rate whatever the answers
do. A rate is reached where p99 is below 50 ms, nothing is refused or late, and, for Cheeper, all commands that were
accepted are in the views within 3 s of the end: an answer 202 on top of a growing backlog does not count. From the last
round's rate it goes up by a fifth while that is reached, else down, so that a run ends at the highest rate reached.

- *Cheeper*: the whole stack, one process a role, behind its gateway.
- *SQL only*: the same requests on nothing but the write model's tables (see `timeline_read`), two processes behind the
  same gateway, PostgreSQL with fsync on. It posts with one INSERT and notifies nobody.

Fair, since each has both cores for itself in its turn, with the load generator on them too; the other's servers are
idle meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import psycopg

from cheeper_bench.baselines import apps
from cheeper_bench.environment import cores, graph, seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph
from cheeper_bench.environment.stack import Whole, whole
from cheeper_bench.errors import BenchError
from cheeper_bench.load import commands, http_load
from cheeper_bench.load.http_line import request
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Side, Sides
from cheeper_bench.measuring.spread import percentile
from cheeper_contracts.http.routes import AUTHOR_CHEEPS, TIMELINE
from cheeper_local.runner import roles
from cheeper_local.system.ports import HOST

MOST_MS: Final = 50.0
_STEP: Final = 1.2
_LOWEST: Final = 10.0
_MOST_STEPS: Final = 12
_SETTLE_SECONDS: Final = 3.0
_CALM_SECONDS: Final = 120.0

Request = tuple[str, bytes]
Mix = dict[str, float]
WANTED: Final = {"DeathStarBench": 0.8, "Retwis": 0.4}
"""The share of the SQL-only variant's throughput that each mix is to reach."""
MIXES: Final[dict[str, Mix]] = {
    "DeathStarBench": {"timeline": 0.6, "own": 0.3, "post": 0.1},
    "Retwis": {"timeline": 0.5, "post": 0.3, "follow": 0.15, "sign-up": 0.05},
}


class _Sizes(msgspec.Struct, frozen=True):
    authors: int
    follows: int  # an author
    cheeps: int  # an author
    seconds: float
    first: float  # a second


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(40, 4, 2, 1, 20),
    "short": _Sizes(10_000, 10, 1, 2, 400),
    "long": _Sizes(100_000, 10, 2, 10, 400),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    world = graph.power_law(sizes.authors, follows=sizes.follows, cheeps=sizes.cheeps)
    with whole(environment, world) as stack:
        sql = _sql_only(environment, world)
        sides: dict[str, Side] = {}
        for name, mix in MIXES.items():
            requests = Requests(world, mix)
            sides[f"Cheeper, {name}"] = _Search(environment, stack.port, requests, sizes, stack).run
            sides[f"SQL only, {name}"] = _Search(environment, sql, requests, sizes, None).run
        yield sides


class Requests:
    """Draws a mix's requests, each author as often as any other."""

    def __init__(self, world: Graph, mix: Mix, seed: int = 1) -> None:
        self._world, self._mix = world, mix
        self._draw = random.Random(seed)  # noqa: S311 - repeatable, no secret
        self._kinds: dict[str, Callable[[str], Request]] = {
            "timeline": lambda author: ("timeline", _get(TIMELINE.path, author)),
            "own": lambda author: ("own", _get(AUTHOR_CHEEPS.path, author)),
            "post": lambda author: commands.post(author, self._draw),
            "follow": lambda _: commands.follow(world, self._draw),
            "sign-up": lambda _: commands.sign_up(self._draw),
        }

    def some(self, number: int) -> list[Request]:
        """Return this number of requests."""
        kinds = self._draw.choices(list(self._mix), list(self._mix.values()), k=number)
        authors = self._draw.choices(range(self._world.authors), k=number)
        return [self._kinds[kind](self._world.author_id(author)) for kind, author in zip(kinds, authors, strict=True)]


class _Search:
    """Finds the highest rate, from the one that was found before."""

    def __init__(
        self, environment: Environment, port: int, requests: Requests, sizes: _Sizes, stack: Whole | None
    ) -> None:
        self._environment, self._port, self._requests, self._sizes, self._stack = (
            environment,
            port,
            requests,
            sizes,
            stack,
        )
        self._rate = sizes.first

    def run(self) -> Figures:
        best = highest(self._rate, self._p99)
        self._rate = best.rate
        return {"requests/s": best.rate, "p99 ms": best.p99}

    def _p99(self, rate: float) -> float | None:
        """Return p99 in milliseconds at this rate, or None if the system did not keep up with it."""
        number = int(rate * (self._sizes.seconds + 1))
        plan = http_load.Plan(
            port=self._port,
            seconds=self._sizes.seconds,
            rate=rate,
            requests=self._requests.some(number),
            connections=64,
        )
        seen = http_load.send(plan, self._environment.cores.all)
        late = seen.unanswered or len(seen.all) < 0.95 * rate * self._sizes.seconds
        return None if seen.refused or late or not self._settled() else percentile(seen.all, 99)

    def _settled(self) -> bool:
        """Return whether all that was accepted is in the views soon. If not, wait for it, for a fair next step."""
        if self._stack is None:
            return True
        try:
            self._stack.settle(_SETTLE_SECONDS)
        except BenchError:
            self._stack.settle(_CALM_SECONDS)
            return False
        return True


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


def _sql_only(environment: Environment, world: Graph) -> int:
    """Return the port of the SQL-only variant behind a gateway."""
    database = environment.database()
    seeding.copy_write_model(database, world)
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in apps.INDEXES:
            connection.execute(statement)
    everywhere = environment.cores.all
    cores.pin(environment.postgres.pid or 0, everywhere)  # as that of the stack
    processes = [
        environment.start("cheeper_bench.baselines.apps", "sql", env={"DATABASE_URL": database}, cpus=everywhere)
        for _ in range(2)
    ]
    for process in processes:
        process.wait_ready(TIMELINE.path.replace("{author_id}", world.author_id(0)))
    upstreams = " ".join(f"{HOST}:{process.port}" for process in processes)
    gateway = environment.start_command(
        roles.real_commands()[roles.GATEWAY],
        env={"READ_API": upstreams, "WRITE_API": upstreams, "XDG_DATA_HOME": str(environment.folder)},
        cpus=everywhere,
    )
    gateway.wait_ready(TIMELINE.path.replace("{author_id}", world.author_id(0)))
    return gateway.port


def _get(path: str, author_id: str) -> bytes:
    return request("GET", f"{path.replace('{author_id}', author_id)}?size=10")


BENCH: Final = Bench(
    name="mixed",
    title="Mixed load",
    open=_open,
    lengths=("tiny", "short", "long"),
    reaches=tuple(
        Reach(
            label=f"{name}, throughput at p99 under 50 ms, over SQL only",
            side=f"Cheeper, {name}",
            figure="requests/s",
            over=f"SQL only, {name}",
            wanted=WANTED[name],
        )
        for name in MIXES
    ),
)
