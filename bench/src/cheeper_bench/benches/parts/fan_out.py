"""A cheep is put into the timelines of all followers of its author, each of which is full (800 entries).

- *Cheeper*: the projector's own store: `apply` of the events with all that they write (record, own list, checkpoint),
  then the fan-out's slices until none is left. Its settings are the defaults. The cheeps are of one author and wait
  together, so that slices serve up to 16 of them at once.
- *client pipeline*: what is mostly built: a sorted set a reader, and redis-py with a pipeline of ZADD and
  ZREMRANGEBYRANK for each follower. The member is the cheep's 16 raw bytes (text ids would be larger and slower), and
  the list of followers is in the client already, which Cheeper has to look up.
- *LPUSH at its best*: redis-benchmark, values of 24 bytes into one list, at the best of several pipeline depths: a
  bound that no use of Redis gets past from outside.

Fair, since all three use the same server, append-only file on, one after the other, and each client has the core that
the server has not. Bytes an entry are MEMORY USAGE of the readers' keys over the entries that they hold.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from redis import Redis

from cheeper_bench.environment import cores, seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.events import NumberedEvent, Numbering, numbered_events, time_of
from cheeper_bench.environment.graph import Graph
from cheeper_bench.errors import BenchError, UnavailableError
from cheeper_bench.measuring.bench import Bench, Figures, Length, Missing, Reach, Side, Sides
from cheeper_contracts import views
from cheeper_contracts.events.cheep_posted import CheepPosted
from projector.consumer.projecting import item_of
from projector.projections import projection_of
from projector.stores.redis.store import RedisStore

_PREFIX: Final = "b:"
_CAP: Final = views.TIMELINE_ENTRIES
_FULL: Final = _CAP - _CAP // 25
"""The fewest entries of a timeline that was full: it is trimmed some entries at a time."""
_PIPELINES: Final = (16, 64, 256)
_SAMPLE: Final = 50
_AUTHOR: Final = 0


class _Sizes(msgspec.Struct, frozen=True):
    followers: int
    cheeps: int  # a multiple of 32, the number of cheeps between two trimmings
    pushes: int


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(20, 32, 2_000),
    "guard": _Sizes(500, 64, 20_000),
    "short": _Sizes(2_000, 64, 400_000),
    "long": _Sizes(10_000, 64, 1_000_000),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    url = environment.redis.url
    graph = Graph(
        name="one author and its followers",
        authors=sizes.followers + 1,
        follows=tuple((follower, _AUTHOR) for follower in range(1, sizes.followers + 1)),
        cheeps=(),
    )
    with cores.on(environment.cores.measured):
        ours = _Ours(url, graph, sizes.cheeps)
        theirs = _Pipeline(url, graph, sizes.cheeps)
        yield {
            "Cheeper": ours.run,
            "client pipeline": theirs.run,
            "LPUSH at its best": _redis_benchmark(environment.redis.port, sizes.pushes),
        }


class _Ours:
    def __init__(self, url: str, graph: Graph, cheeps: int) -> None:
        self._graph, self._cheeps = graph, cheeps
        self._client = Redis.from_url(url)
        self._store: RedisStore = seeding.redis_store(url, _PREFIX)
        self._numbering = Numbering()
        everything = list(numbered_events(graph, self._numbering))
        self._posted = 0
        self._time = time_of(everything[-1].event)
        seeding.feed(self._store, everything)
        while self._posted < _CAP + _CAP // 25:
            self._post(self._next(self._cheeps))

    def run(self) -> Figures:
        posts = self._next(self._cheeps)
        began = time.perf_counter()
        self._post(posts)
        seconds = time.perf_counter() - began
        readers = len(self._graph.follows)
        return {"entries/s": self._cheeps * readers / seconds, "bytes/entry": self._bytes()}

    def _next(self, count: int) -> list[NumberedEvent]:
        author = self._graph.author_id(_AUTHOR)
        found = []
        for _ in range(count):
            self._posted, self._time = self._posted + 1, self._time + 1000
            event = CheepPosted(
                cheep_id=self._graph.id_of("cheep", self._posted),
                author_id=author,
                author_username=self._graph.username(_AUTHOR),
                message="a cheep of some sixty characters, as most of them are by now",
                cheep_date=self._time,
            )
            found.append(self._numbering.number(event, self._graph.id_of("message", self._time), self._time))
        return found

    def _post(self, posts: Sequence[NumberedEvent]) -> None:
        items = [item_of(projection_of(self._store.name), one.incoming()) for one in posts]
        seeding.apply(self._store, posts[0].partition, items)
        seeding.serve_tasks(self._store)

    def _bytes(self) -> float:
        held = used = 0
        for follower, _ in self._graph.follows[:: max(1, len(self._graph.follows) // _SAMPLE)]:
            reader = self._graph.author_id(follower)
            keys = [views.TIMELINE.key(_PREFIX, reader), views.TIMELINE_FLOOR.key(_PREFIX, reader)]
            held += _full(self._client.llen(keys[0]))
            used += _memory(self._client, keys)
        return used / held


class _Pipeline:
    def __init__(self, url: str, graph: Graph, cheeps: int) -> None:
        self._client = Redis.from_url(url)
        self._graph, self._cheeps, self._posted = graph, cheeps, 0
        self._keys = [f"z:timeline:{graph.author_id(follower)}" for follower, _ in graph.follows]
        first = {self._member(): number for number in range(_CAP)}
        for key in self._keys:
            self._client.zadd(key, cast("Any", first))

    def run(self) -> Figures:
        began = time.perf_counter()
        cheeps = max(1, self._cheeps // 4)  # as much as need be: it takes longer
        for _ in range(cheeps):
            member, score = self._member(), self._posted
            with self._client.pipeline(transaction=False) as pipe:
                for key in self._keys:
                    pipe.zadd(key, {member: score})
                    pipe.zremrangebyrank(key, 0, -_CAP - 1)
                pipe.execute()
        seconds = time.perf_counter() - began
        sample = self._keys[:: max(1, len(self._keys) // _SAMPLE)]
        held = sum(_full(int(self._client.zcard(key))) for key in sample)
        return {
            "entries/s": cheeps * len(self._keys) / seconds,
            "bytes/entry": _memory(self._client, sample) / held,
        }

    def _member(self) -> bytes:
        self._posted += 1
        return UUID(self._graph.id_of("z", self._posted)).bytes


def _redis_benchmark(port: int, pushes: int) -> Side | Missing:
    tool = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if tool is None:
        return Missing("redis-benchmark is not on the PATH (Debian has it in redis-tools)")

    def run() -> Figures:
        best = 0.0
        for depth in _PIPELINES:
            sizes = ["-n", str(pushes), "-P", str(depth), "-d", str(views.ENTRY_BYTES)]
            command = [tool, "-p", str(port), "-t", "lpush", "-q", "--csv", *sizes]
            output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            found = re.search(r'"LPUSH[^"]*","([\d.]+)"', output)
            if found is None:
                raise UnavailableError(f"redis-benchmark printed nothing about LPUSH: {output[-200:]!r}")
            best = max(best, float(found[1]))
        with Redis(port=port) as client:
            client.delete("mylist")
        return {"entries/s": best}

    return run


def _memory(client: Redis, keys: Sequence[str]) -> int:
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.memory_usage(key, samples=0)
        return sum(used or 0 for used in pipe.execute())


def _full(entries: int) -> int:
    if entries < _FULL:
        raise BenchError(f"A timeline holds {entries} entries and is not full.")
    return entries


BENCH: Final = Bench(
    name="fan_out",
    title="Fan-out into full timelines",
    open=_open,
    lengths=("tiny", "short", "guard"),
    reaches=(
        Reach(label="over a client pipeline", side="Cheeper", figure="entries/s", over="client pipeline", wanted=5),
        Reach(label="over LPUSH at its best", side="Cheeper", figure="entries/s", over="LPUSH at its best", wanted=0.4),
        Reach(label="memory", side="Cheeper", figure="bytes/entry", wanted=30, at="most", unit="bytes/entry"),
    ),
)
