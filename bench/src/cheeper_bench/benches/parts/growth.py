"""The figures when one thing grows to 10 and 100 times, and all else stays.

- *authors*: 1,000 to 100,000, each following 10: timelines read a second, as in `timeline_read`, and Redis's memory.
- *follows*: a reader who follows 10 to 1,000 of the same authors: the same page (above the floor).
- *log*: 10,000 to 1,000,000 events in the outbox that were relayed: a fresh backlog, drained by the relay.
- *followers*: an author with 1,000 to 100,000 followers posts: entries a second, which stay if the work is linear.

Compared with itself: reads and relay are to stay within 20%, fan-out is to cost the same an entry. The cores are as in
`timeline_read`, for the relay as in `outbox_to_kafka`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import uuid4

import msgspec
from redis import Redis

from cheeper_bench.benches.reads.timeline_read import load_of, pages
from cheeper_bench.environment import cores, graph, kafka_feed, seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.events import NumberedEvent, Numbering
from cheeper_bench.environment.graph import BEGAN, Graph
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Side, Sides
from cheeper_bench.measuring.progress import drained
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.kafka.topics import EVENTS
from projector.consumer.projecting import item_of
from projector.projections import projection_of

_TIMES: Final = (1, 10, 100)
_ASKED: Final = 500
_MIB: Final = 1024**2


class _Sizes(msgspec.Struct, frozen=True):
    authors: int
    follows: int
    log: int
    followers: int
    backlog: int
    seconds: float


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(10, 2, 20, 5, 100, 0.2),
    "short": _Sizes(200, 10, 2_000, 200, 5_000, 1.0),
    "long": _Sizes(1_000, 10, 10_000, 1_000, 20_000, 5.0),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    sides: dict[str, Side] = {}
    for times in _TIMES:
        sides[f"authors x{times}"] = _authors(environment, sizes, times)
    sides |= _follows(environment, sizes)
    for times in _TIMES:
        sides[f"log x{times}"] = _log(environment, sizes, times)
    for times in _TIMES:
        sides[f"followers x{times}"] = _followers(environment, sizes, times)
    yield sides


def _authors(environment: Environment, sizes: _Sizes, times: int) -> Side:
    world = graph.power_law(sizes.authors * times, follows=min(10, sizes.authors - 1), cheeps=3)
    env = environment.variables(prefix=f"authors{times}.")
    before = _memory(env)
    seeding.seed_hot_views(world, env)
    used = _memory(env) - before
    read_api = environment.start("read_api", "http", env=env)
    read_api.wait_ready()
    step = max(1, world.authors // _ASKED)
    everyone = [world.author_id(author) for author in range(0, world.authors, step)]
    load = load_of(environment, read_api, pages(everyone), sizes.seconds)

    def run() -> Figures:
        return {"requests/s": load()["requests/s"], "MiB": used / _MIB, "KiB an author": used / 1024 / world.authors}

    return run


def _follows(environment: Environment, sizes: _Sizes) -> dict[str, Side]:
    authors = sizes.follows * max(_TIMES)
    world = graph.power_law(authors, follows=0, cheeps=2)
    readers = {}
    for times in _TIMES:
        world, readers[times] = graph.with_reader(world, sizes.follows * times)
    env = environment.variables(prefix="follows.")
    seeding.seed_hot_views(world, env)
    read_api = environment.start("read_api", "http", env=env)
    read_api.wait_ready()
    return {
        f"follows x{times}": _only(load_of(environment, read_api, pages([world.author_id(reader)]), sizes.seconds))
        for times, reader in readers.items()
    }


def _only(load: Side) -> Side:
    def run() -> Figures:
        return {"requests/s": load()["requests/s"]}

    return run


def _log(environment: Environment, sizes: _Sizes, times: int) -> Side:
    prefix = f"log{times}."
    env = {
        "DATABASE_URL": environment.database(prefix),
        "KAFKA_BOOTSTRAP_SERVERS": environment.kafka.url,
        "TOPIC_PREFIX": prefix,
    }
    ends = kafka_feed.Ends(environment.kafka.url, EVENTS.named(prefix))
    numbering, sent = Numbering(), sizes.log * times
    seeding.copy_outbox(env["DATABASE_URL"], (_event(numbering, number) for number in range(sent)))
    relay = environment.start("write_api", "relay", env=env, cpus=environment.cores.all)
    drained(ends.all, sent, check=relay.check)

    def run() -> Figures:
        nonlocal sent
        seeding.copy_outbox(env["DATABASE_URL"], [_event(numbering, sent + at) for at in range(sizes.backlog)])
        sent += sizes.backlog
        return {"events/s": drained(ends.all, sent, check=relay.check).rate}

    return run


def _event(numbering: Numbering, number: int, author: str | None = None) -> NumberedEvent:
    key = author or f"00000000-0000-4000-8000-{number % 1000:012x}"
    event = CheepPosted(
        cheep_id=str(uuid4()),
        author_id=key,
        author_username="somebody",
        message="a cheep of some sixty characters, as most of them are by now",
        cheep_date=BEGAN + 10**12 + number,
    )
    return numbering.number(event, str(uuid4()), event.cheep_date)


def _followers(environment: Environment, sizes: _Sizes, times: int) -> Side:
    followers = sizes.followers * times
    world = Graph(
        name=f"{followers} followers",
        authors=followers + 1,
        follows=tuple((follower, 0) for follower in range(1, followers + 1)),
        cheeps=(),
    )
    env = environment.variables(prefix=f"followers{times}.")
    numbering = seeding.seed_hot_views(world, env)
    store = seeding.redis_store(env["REDIS_URL"], env["REDIS_PREFIX"])
    posts = max(1, 100 // times) * 2  # the same work, whatever the number of followers
    number = 0

    def run() -> Figures:
        nonlocal number
        with cores.on(environment.cores.measured):
            fresh = [_event(numbering, number + at, world.author_id(0)) for at in range(posts)]
            number += posts
            began = time.perf_counter()
            seeding.apply(
                store, fresh[0].partition, [item_of(projection_of(store.name), one.incoming()) for one in fresh]
            )
            seeding.serve_tasks(store)
            return {"entries/s": posts * followers / (time.perf_counter() - began)}

    return run


def _memory(env: dict[str, str]) -> int:
    with Redis.from_url(env["REDIS_URL"]) as client:
        return int(cast("dict[str, Any]", client.info("memory"))["used_memory"])


def _flat(what: str, figure: str) -> tuple[Reach, ...]:
    return tuple(
        Reach(label=f"{what} x{times} over x1", side=f"{what} x{times}", figure=figure, over=f"{what} x1", wanted=0.8)
        for times in _TIMES[1:]
    )


BENCH: Final = Bench(
    name="growth",
    title="Growth, one thing at a time",
    open=_open,
    lengths=("tiny", "long"),
    reaches=(
        *_flat("authors", "requests/s"),
        *_flat("follows", "requests/s"),
        *_flat("log", "events/s"),
        *_flat("followers", "entries/s"),
        Reach(label="memory of Redis at x100", side="authors x100", figure="MiB", unit="MiB"),
    ),
)
