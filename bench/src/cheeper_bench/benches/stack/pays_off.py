"""The scenarios in which the read models pay off, and those in which they do not: docs/when-cqrs-pays.md is made of it.

Readers follow 10, 40, 100, 400 or 800 authors, who have as many followers and post as often as they read; a read is a
timeline's first page of 10, a write a post. Three things are varied one by one, from 100 follows and 90% reads: the
follows, the share of reads, and the buffers of the SQL-only variant's PostgreSQL. For each, the highest rate with p99
below 50 ms is searched for as in `mixed`, and the CPU time of all processes at it is divided by the requests. Reads
alone and posts alone, at 100 requests/s, say what either costs above what the processes take at rest, and so at which
share of reads both variants cost the same.

- *Cheeper*: the whole stack, one process a role, without its runner.
- *SQL only*: the same requests on the write model's tables alone, as in `mixed`. Its buffers are 128 MB and hold all;
  with fewer, pages come from the system's cache, not from a disk, so it loses less than on a machine without memory.

Fair, since each has both cores for itself in its turn, and the accounts of a group are no others' readers or authors,
so that no group's posts are in another's timelines. In the short form a group has fewer readers than authors, so that
a post goes to fewer timelines than in the long one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from cheeper_bench.baselines import sql_only
from cheeper_bench.benches.stack.mixed import Requests
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph, text_of
from cheeper_bench.environment.stack import whole
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Side, Sides
from cheeper_bench.measuring.scenarios import (
    BUFFERS,
    CHEEPER,
    COST,
    FOLLOWS,
    RATE,
    SQL_ONLY,
    USUAL_SHARE,
    Scenario,
    ends,
    searched,
)
from cheeper_bench.measuring.search import Contender, Search, contender

_AT: Final = 100.0
"""Requests a second of the reads alone and the posts alone."""


class _Sizes(msgspec.Struct, frozen=True):
    readers: int | None  # of a group at most; None: all its authors
    least: int  # authors of a group at least
    cheeps: int  # an author
    seconds: float
    rate: float  # at which a search begins
    part: float = 1.0  # of the follows


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(5, 10, 2, 0.5, 20, 0.01),
    "short": _Sizes(20, 50, 3, 1.0, 40),
    "long": _Sizes(None, 400, 10, 2.0, 200),
}


class Group(msgspec.Struct, frozen=True):
    """The accounts of one number of follows: the readers are among the authors."""

    authors: range
    readers: range


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    world, groups = islands(sizes)
    with whole(environment, world, audited=False) as stack:
        variants = {each: sql_only.start(environment, world, buffers=each) for each in BUFFERS}
        sides: dict[str, Side] = {}
        scenarios = [each for who in (CHEEPER, SQL_ONLY) for each in (*searched(who), *ends(who))]
        # The sides of a comparison follow each other, so that they meet the same machine.
        for scenario in sorted(scenarios, key=lambda each: (each.follows, each.reads, each.buffers, each.who)):
            variant = variants[scenario.buffers]
            ours = scenario.who == CHEEPER
            search = Search(
                contender(stack) if ours else Contender(port=variant.port, cpu=variant.cpu),
                requests_of(world, groups[scenario.follows], scenario.reads).some,
                environment.cores.all,
                sizes.seconds,
                sizes.rate,
            )
            sides[scenario.name] = _side(search, scenario, None if ours else variant.fill)
        yield sides


def _side(search: Search, scenario: Scenario, fill: float | None) -> Side:
    more = {} if fill is None else {"data/buffers": fill}

    def run() -> Figures:
        alone = scenario.reads in {0, 100}
        return {**(search.at(_AT) if alone else search.with_cost()), **more}

    return run


def islands(sizes: _Sizes) -> tuple[Graph, dict[int, Group]]:
    """Return a graph of groups that know nothing of each other, and the group of each number of follows."""
    draw = random.Random(1)  # noqa: S311 - repeatable, no secret
    groups: dict[int, Group] = {}
    follows: list[tuple[int, int]] = []
    begin = 0
    for many in FOLLOWS:
        wanted = max(1, int(many * sizes.part))
        authors = range(begin, begin + max(wanted + 1, sizes.least))
        readers = authors[: sizes.readers]
        groups[many] = Group(authors, readers)
        for reader in readers:
            others = draw.sample(authors, wanted + 1)
            follows += [(reader, each) for each in others if each != reader][:wanted]
        begin = authors.stop
    cheeps = [(author, text_of(draw)) for author in range(begin) for _ in range(sizes.cheeps)]
    draw.shuffle(cheeps)
    name = f"groups {sizes.readers} {sizes.least} {sizes.cheeps}"
    return Graph(name=name, authors=begin, follows=tuple(follows), cheeps=tuple(cheeps)), groups


def requests_of(world: Graph, group: Group, reads: int) -> Requests:
    """Return a group's requests: so many percent are timelines of its readers, the rest are posts of its authors."""
    mix = {"timeline": reads / 100, "post": 1 - reads / 100}
    return Requests(world, mix, authors=group.authors, readers=group.readers)


def _reach(follows: int, figure: str, label: str) -> Reach:
    side, over = (Scenario(who, follows, USUAL_SHARE).name for who in (CHEEPER, SQL_ONLY))
    return Reach(label=f"{label} over SQL only, {follows} follows", side=side, figure=figure, over=over)


BENCH: Final = Bench(
    name="pays_off",
    title="Where CQRS pays off",
    open=_open,
    lengths=("tiny", "long"),
    warm_up=False,
    reaches=(
        *(_reach(follows, COST, "CPU of a request") for follows in FOLLOWS),
        *(_reach(follows, RATE, "throughput") for follows in FOLLOWS),
    ),
)
