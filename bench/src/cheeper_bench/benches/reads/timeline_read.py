"""GET timeline of 10, through one process of read-api that has a core for itself.

The graph is reed98 where its file is given (962 people, 37,624 follows), else one drawn with as many; each author has
some cheeps. One more author follows 800. All of it is seeded by COPY and the projector's stores, and audited.

- *read-api*: authors of the graph in turn; *read-api, 800 follows*: that one author.
- *hello*: a Litestar route that returns a constant, behind the same server with the same settings: what the framework
  allows at most.
- *SQL*: the write model's tables joined, with an index for it, a pool and prepared statements, behind the same server
  and framework, with answers of the same shape. It reads the newest of each followed author by index (LATERAL), which
  is faster than the plain join.

Fair, since each server process is alone on the one core, while the load generator and the store of each share the
other: what a server waits for there is in its figure. The generator is Python's own (uvloop, 16 connections that
always ask); "generator busy" says whether it was what ended the growth.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
import psycopg

from cheeper_bench.baselines import apps
from cheeper_bench.environment import graph, seeding
from cheeper_bench.environment.environment import Environment, Process
from cheeper_bench.environment.graph import Graph
from cheeper_bench.load import http_load
from cheeper_bench.load.http_line import request
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Side, Sides
from cheeper_contracts.http.routes import TIMELINE

_FOLLOWS: Final = 800
_AUTHORS, _FOLLOWS_EACH = 962, 39  # as reed98 has


class _Sizes(msgspec.Struct, frozen=True):
    authors: int
    cheeps: int  # an author
    seconds: float


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(60, 3, 0.3),
    "guard": _Sizes(200, 5, 1.0),
    "short": _Sizes(_AUTHORS, 20, 1.0),
    "long": _Sizes(_AUTHORS, 50, 10.0),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    world, reader = graph.with_reader(_graph(environment, sizes), _FOLLOWS)
    guarded = length == "guard"
    if guarded:  # the least that the ratio wants
        env = {"REDIS_URL": environment.redis.url, "REDIS_PREFIX": "", "MONGO_URL": environment.mongo.url}
        seeding.seed_hot_views(world, env)
    else:
        env = environment.variables(database=environment.database())
        seeding.seed(environment, world, env)
    everyone = [world.author_id(author) for author in range(world.authors - 1)]
    random.Random(1).shuffle(everyone)  # noqa: S311 - repeatable, no secret
    one = [world.author_id(reader)]
    read_api = environment.start("read_api", "http", env=env)
    read_api.wait_ready()
    hello = environment.start("cheeper_bench.baselines.apps", "hello")
    hello.wait_ready("/hello")
    sides: dict[str, Side] = {
        "read-api": load_of(environment, read_api, pages(everyone), sizes.seconds),
        "hello": load_of(environment, hello, [("hello", request("GET", "/hello"))], sizes.seconds),
    }
    if not guarded:
        sql = sql_server(environment, env["DATABASE_URL"])
        sql.wait_ready(f"/author/{everyone[0]}/timeline")
        sides |= {
            "read-api, 800 follows": load_of(environment, read_api, pages(one), sizes.seconds),
            "SQL, 800 follows": load_of(environment, sql, pages(one), sizes.seconds),
            "SQL": load_of(environment, sql, pages(everyone), sizes.seconds),
        }
    yield sides


def _graph(environment: Environment, sizes: _Sizes) -> Graph:
    if environment.graph is not None and sizes.authors == _AUTHORS:
        return graph.given(environment.graph, environment.texts, cheeps=sizes.cheeps)
    return graph.power_law(sizes.authors, follows=min(_FOLLOWS_EACH, sizes.authors // 2), cheeps=sizes.cheeps)


def sql_server(environment: Environment, database: str) -> Process:
    """Return the SQL-only variant over a write model, with the indexes that it wants."""
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in apps.INDEXES:
            connection.execute(statement)
    return environment.start("cheeper_bench.baselines.apps", "sql", env={"DATABASE_URL": database})


def pages(authors: Sequence[str], cursor: str = "") -> list[tuple[str, bytes]]:
    """Return requests for a page of each of these timelines."""
    query = f"?size=10&cursor={cursor}" if cursor else "?size=10"
    return [("timeline", request("GET", TIMELINE.path.replace("{author_id}", author) + query)) for author in authors]


def load_of(
    environment: Environment,
    server: Process,
    requests: list[tuple[str, bytes]],
    seconds: float,
    *,
    connections: int = 16,
) -> Side:
    """Return a side: the throughput of a server under a closed load, and what it takes of processors."""

    def run() -> Figures:
        before = server.cpu_seconds
        plan = http_load.Plan(port=server.port, seconds=seconds, requests=requests, connections=connections)
        seen = http_load.send(plan, environment.cores.others)
        cpu = server.cpu_seconds - before
        whole = (plan.seconds + plan.warm) / plan.seconds
        return {
            "requests/s": seen.per_second,
            "CPU ms/request": cpu * 1000 / max(1.0, seen.per_second * seen.seconds * whole),
            "generator busy": seen.busy,
            "refused": sum(seen.refused.values()) + seen.unanswered,
        }

    return run


BENCH: Final = Bench(
    name="timeline_read",
    title="GET timeline of 10, requests/s a core",
    open=_open,
    lengths=("tiny", "short", "guard"),
    reaches=(
        Reach(label="over hello", side="read-api", figure="requests/s", over="hello", wanted=0.8),
        Reach(
            label="over SQL at 800 follows",
            side="read-api, 800 follows",
            figure="requests/s",
            over="SQL, 800 follows",
            wanted=10,
        ),
    ),
)
