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

*Refused* are the responses 429 and 5xx, and those that never came, at the rates that were tried, the last of which is
too high for it.

Fair, since each has both cores for itself in its turn, with the load generator on them too; the other's servers are
idle meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from cheeper_bench.baselines import sql_only
from cheeper_bench.environment import graph
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph
from cheeper_bench.environment.stack import whole
from cheeper_bench.load import commands
from cheeper_bench.load.http_line import request
from cheeper_bench.measuring.bench import Bench, Length, Reach, Side, Sides
from cheeper_bench.measuring.search import Contender, Request, Search, contender
from cheeper_contracts.http.routes import AUTHOR_CHEEPS, TIMELINE

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
        variant = sql_only.start(environment, world)
        contenders = {"Cheeper": contender(stack), "SQL only": Contender(port=variant.port, cpu=variant.cpu)}
        sides: dict[str, Side] = {}
        for name, mix in MIXES.items():
            requests, cpus = Requests(world, mix), environment.cores.all
            for who, one in contenders.items():
                sides[f"{who}, {name}"] = Search(one, requests.some, cpus, sizes.seconds, sizes.first).run
        yield sides


class Requests:
    """Draws a mix's requests, each of these authors as often as any other: `readers` ask for timelines, `authors` do
    the rest. By default both are all.
    """

    def __init__(
        self, world: Graph, mix: Mix, *, authors: Sequence[int] = (), readers: Sequence[int] = (), seed: int = 1
    ) -> None:
        self._world, self._mix = world, mix
        self._authors, self._readers = authors or range(world.authors), readers or range(world.authors)
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
        return [self._kinds[kind](self._world.author_id(self._draw.choice(self._among(kind)))) for kind in kinds]

    def _among(self, kind: str) -> Sequence[int]:
        return self._readers if kind == "timeline" else self._authors


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
