"""The same page of 10, below the floor of a timeline's list, where it is merged from the followed authors' own lists.

Two readers follow 100 and 1,000 authors, who have so many cheeps that the readers' lists are full and have a floor.

- *below*: the page that begins right below the floor; *above*: the first page, which comes from the list.
- *SQL*: the page at the very same place of the timeline, as in `timeline_read`.

Fair as in `timeline_read`: the same processes on the same cores, and SQL is asked by keyset, not by offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from redis import Redis

from cheeper_bench.benches.reads.timeline_read import load_of, pages, sql_server
from cheeper_bench.environment import seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph
from cheeper_bench.errors import BenchError
from cheeper_bench.measuring.bench import Bench, Length, Reach, Side, Sides
from cheeper_contracts import views
from read_api.queries.timeline import Timeline
from read_api.query_bus.paging import encode_cursor


class _Sizes(msgspec.Struct, frozen=True):
    follows: tuple[int, int]
    cheeps: int  # of all authors
    seconds: float


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes((40, 50), 1_800, 0.3),
    "guard": _Sizes((100, 1_000), 20_000, 0.5),
    "short": _Sizes((100, 1_000), 20_000, 1.0),
    "long": _Sizes((100, 1_000), 50_000, 10.0),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    authors = max(sizes.follows)
    readers = range(authors, authors + len(sizes.follows))
    world = Graph(
        name=f"readers of {sizes.follows}",
        authors=authors + len(readers),
        follows=tuple((r, author) for r, many in zip(readers, sizes.follows, strict=True) for author in range(many)),
        cheeps=tuple((number * 7919 % authors, f"cheep number {number} of all") for number in range(sizes.cheeps)),
    )
    guarded = length == "guard"
    if guarded:  # the least that the ratio wants
        env = {"REDIS_URL": environment.redis.url, "REDIS_PREFIX": "", "MONGO_URL": environment.mongo.url}
        seeding.seed_hot_views(world, env)
    else:
        env = environment.variables(database=environment.database())
        seeding.seed(environment, world, env)
    read_api = environment.start("read_api", "http", env=env)
    read_api.wait_ready()
    sql = None if guarded else sql_server(environment, env["DATABASE_URL"])
    sides: dict[str, Side] = {}
    for reader, follows in zip(readers, (100, 1_000), strict=True):
        one = [world.author_id(reader)]
        floor = _floor(env, one[0])
        date, cheep_id = views.unpack_entry(floor)
        named = f"{follows:,} follows"
        sides |= {
            f"below, {named}": load_of(
                environment, read_api, pages(one, encode_cursor(Timeline(author_id=one[0]), floor)), sizes.seconds
            ),
            f"above, {named}": load_of(environment, read_api, pages(one), sizes.seconds),
        }
        if sql is not None:
            sql.wait_ready(f"/author/{one[0]}/timeline")
            asked = pages(one, f"{date}.{cheep_id}")
            sides[f"SQL, {named}"] = load_of(environment, sql, asked, sizes.seconds)
    yield sides


def _floor(env: dict[str, str], reader: str) -> bytes:
    with Redis.from_url(env["REDIS_URL"]) as client:
        floor = client.get(views.TIMELINE_FLOOR.key(env["REDIS_PREFIX"], reader))
    if not isinstance(floor, bytes):
        raise BenchError("The reader's timeline has no floor.")
    return floor


BENCH: Final = Bench(
    name="below_floor",
    title="GET timeline of 10, below the floor",
    open=_open,
    lengths=("tiny", "short", "guard"),
    reaches=(
        Reach(
            label="over SQL, 100 follows",
            side="below, 100 follows",
            figure="requests/s",
            over="SQL, 100 follows",
            wanted=1,
        ),
        Reach(
            label="over SQL, 1,000 follows",
            side="below, 1,000 follows",
            figure="requests/s",
            over="SQL, 1,000 follows",
            wanted=1,
        ),
        Reach(
            label="over the page above, 100 follows",
            side="below, 100 follows",
            figure="requests/s",
            over="above, 100 follows",
            wanted=0.5,
        ),
        Reach(
            label="over the page above, 1,000 follows",
            side="below, 1,000 follows",
            figure="requests/s",
            over="above, 1,000 follows",
            wanted=0.15,
        ),
    ),
)
