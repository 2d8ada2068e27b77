"""Idle streams of timelines on one read-api, and the delay of a cheep that goes to all of them.

Each of the readers follows one author and has a stream open. First nothing happens for some seconds, in which read-api
sends keep-alives; then the author posts, by the projector's own store, as the events of the log are applied: the clock
starts before that call, and ends for each reader with the arrival of the event.

- *idle*: the memory of the process beyond that without streams, by stream, and its CPU time as part of a core.
- *to all*: the delay for the median reader and for the last one. The client shares its core with Redis.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cheeper_bench.environment import graph, seeding
from cheeper_bench.environment.environment import Environment, Process
from cheeper_bench.environment.events import Numbering
from cheeper_bench.errors import BenchError
from cheeper_bench.load.http_line import request
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Side, Sides
from cheeper_bench.measuring.spread import percentile
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.http.routes import TIMELINE_STREAM
from cheeper_local.system.ports import HOST

_STREAMS: Final[dict[Length, int]] = {"tiny": 30, "short": 5_000, "long": 5_000}
_IDLE_SECONDS: Final[dict[Length, float]] = {"tiny": 0.2, "short": 16.0, "long": 60.0}
_SIDE: Final = "streams"
_OPENING_AT_ONCE: Final = 100
_PATIENCE: Final = 60.0
_POSTS: Final = 3


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    readers = _STREAMS[length]
    world = graph.Graph(
        name="streams",
        authors=readers + 1,
        follows=tuple((reader, 0) for reader in range(1, readers + 1)),
        cheeps=((0, "Is anybody there?"),),
    )
    views = {"REDIS_URL": environment.redis.url, "REDIS_PREFIX": "", "MONGO_URL": environment.mongo.url}
    numbering = seeding.seed_hot_views(world, views)
    read_api = environment.start("read_api", "http", env={**views, "STREAMS": str(readers)})
    read_api.wait_ready()
    run = _Run(world, views, numbering, read_api, _IDLE_SECONDS[length])
    yield {_SIDE: run.side()}


class _Run:
    """One process of read-api with its streams, and the author whom all readers follow."""

    def __init__(
        self, world: graph.Graph, views: dict[str, str], numbering: Numbering, read_api: Process, idle_seconds: float
    ) -> None:
        self._world, self._numbering, self._read_api = world, numbering, read_api
        self._store = seeding.redis_store(views["REDIS_URL"], views["REDIS_PREFIX"])
        self._idle_seconds = idle_seconds
        self._posts = 0

    def side(self) -> Side:
        """Return the side that measures it."""
        return lambda: asyncio.run(self._measure())

    async def _measure(self) -> Figures:
        before = _resident_bytes(self._read_api.pid)
        readers = range(1, self._world.authors)
        streams: list[_Stream] = []
        for first in range(0, len(readers), _OPENING_AT_ONCE):
            some = readers[first : first + _OPENING_AT_ONCE]
            streams += await asyncio.gather(*(_Stream.open(self._read_api.port, self._world, one) for one in some))
        memory = _resident_bytes(self._read_api.pid) - before
        cpu = self._read_api.cpu_seconds
        await asyncio.sleep(self._idle_seconds)
        cpu = self._read_api.cpu_seconds - cpu
        delays = [delay for _ in range(_POSTS) for delay in await self._post(streams)]
        for stream in streams:
            stream.close()
        return {
            "KiB/stream": memory / len(streams) / 1024,
            "idle % of a core": 100 * cpu / self._idle_seconds,
            "p50 ms": percentile(delays, 50),
            "p99 ms": percentile(delays, 99),
        }

    async def _post(self, streams: list[_Stream]) -> list[float]:
        """Return the milliseconds from a post to its arrival in each stream."""
        self._posts += 1
        now = time.time_ns() // 1_000
        cheep_id = self._world.id_of("post", self._posts, now)
        event = CheepPosted(
            cheep_id=cheep_id,
            author_id=self._world.author_id(0),
            author_username=self._world.username(0),
            message="Is anybody there?",
            cheep_date=now,
        )
        waiting = [asyncio.create_task(stream.arrival(cheep_id)) for stream in streams]
        numbered = self._numbering.number(event, self._world.id_of("message", cheep_id), now)
        began = time.perf_counter()
        await asyncio.to_thread(self._apply, numbered)
        return [1_000 * (arrived - began) for arrived in await asyncio.gather(*waiting)]

    def _apply(self, numbered: object) -> None:
        seeding.feed(self._store, [numbered])  # type: ignore[list-item]
        seeding.serve_tasks(self._store)


class _Stream:
    """An open stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int, world: graph.Graph, author: int) -> _Stream:
        """Open the stream of an author's timeline, and wait for its first event. Raise BenchError."""
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(request("GET", TIMELINE_STREAM.path.format(author_id=world.author_id(author))))
        stream = cls(reader, writer)
        status = await reader.readline()
        if b" 200 " not in status:
            raise BenchError(f"A stream was answered with {status!r}.")
        await stream.arrival("event: refresh")
        return stream

    async def arrival(self, text: str) -> float:
        """Return when a text arrives. Raise BenchError."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._reader.readuntil(text.encode())
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            raise BenchError(f"A stream brought no {text!r}: {type(error).__name__}") from None
        return time.perf_counter()

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


def _resident_bytes(pid: int) -> int:
    """Return the memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise BenchError("The memory of read-api is not known.")


BENCH: Final = Bench(
    name="streams",
    title="5,000 idle streams, and a cheep to all",
    open=_open,
    reaches=(
        Reach(label="memory of a stream", side=_SIDE, figure="KiB/stream", unit="KiB"),
        Reach(label="CPU while idle", side=_SIDE, figure="idle % of a core", unit="%"),
        Reach(label="post to the median reader", side=_SIDE, figure="p50 ms", unit="ms"),
        Reach(label="post to the 99th of 100 readers", side=_SIDE, figure="p99 ms", unit="ms"),
    ),
    warm_up=False,
)
