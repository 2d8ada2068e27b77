"""An author of 1,000,000 followers posts while 200 commands/s of others go through the system.

- *without*: other people's posts, from the request until they are on a follower's timeline, as in `post_to_visible`
  at 200 commands/s.
- *with*: the same, while that one author's cheep goes out to its followers, a slice after another in between.

A run with the heavy author ends when its cheep is delivered: then the newest entry of each single follower's timeline
is compared with it, and "delivered" says how many have it. "entries/s" is from the first look that finds the fan-out's
task to the first that does not. The whole stack and the load share all cores.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, cast
from uuid import uuid4

import msgspec
from redis import Redis

from cheeper_bench.benches.stack.post_to_visible import figures, latency, refused_of, wait_for_first
from cheeper_bench.environment import graph
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph
from cheeper_bench.environment.stack import Whole, whole
from cheeper_bench.errors import BenchError
from cheeper_bench.load import commands, http_load
from cheeper_bench.load.http_line import Line, request
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Sides
from cheeper_contracts import views
from cheeper_contracts.http.routes import CHEEPS
from cheeper_local.system.ports import HOST

_RATE: Final = 200
_PATIENCE: Final = 600.0
_SETTLE_SECONDS: Final = 120.0
_AT_ONCE: Final = 5_000
_ACCEPTED: Final = 202


class _Sizes(msgspec.Struct, frozen=True):
    followers: int
    others: int
    rate: int
    seconds: float


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(2_500, 30, 10, 1),
    "short": _Sizes(50_000, 962, _RATE, 5),
    "long": _Sizes(1_000_000, 2_000, _RATE, 60),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    others = graph.power_law(sizes.others, follows=min(10, sizes.others - 1), cheeps=2)
    heavy = sizes.others
    everybody = Graph(
        name=others.name,
        authors=sizes.others + 1 + sizes.followers,
        follows=others.follows + tuple((heavy + 1 + follower, heavy) for follower in range(sizes.followers)),
        cheeps=others.cheeps,
    )
    with whole(environment, everybody) as stack:
        ours = _Heavy(environment, msgspec.structs.replace(stack, graph=others), everybody, sizes)
        yield {"without": ours.without, "with": ours.with_heavy}


class _Heavy:
    def __init__(self, environment: Environment, stack: Whole, everybody: Graph, sizes: _Sizes) -> None:
        self._environment, self._stack, self._sizes = environment, stack, sizes
        self._draw = random.Random(1)  # noqa: S311 - repeatable, no secret
        self._author = everybody.author_id(sizes.others)
        self._followers = [everybody.author_id(sizes.others + 1 + number) for number in range(sizes.followers)]
        self._redis = Redis.from_url(stack.env["REDIS_URL"])
        self._prefix = stack.env["REDIS_PREFIX"]

    def without(self) -> Figures:
        """Measure the others alone."""
        sending, seen = self._load()
        found = []
        while sending.is_alive():
            found.append(latency(self._stack, self._draw))
        return self._ended(sending, seen, found)

    def with_heavy(self) -> Figures:
        """Measure the others while the cheep goes out."""
        sending, seen = self._load()
        cheep_id = self._post()
        serving = _Watch(self._is_waiting)
        found = []
        while sending.is_alive() and not serving.ended:
            found.append(latency(self._stack, self._draw))
        seconds = serving.wait()
        figures = self._ended(sending, seen, found)
        delivered = self._delivered(cheep_id)
        if delivered != len(self._followers):
            raise BenchError(f"The cheep is on {delivered:,} timelines of {len(self._followers):,}.")
        return {**figures, "entries/s": len(self._followers) / seconds, "delivered": delivered}

    def _load(self) -> tuple[threading.Thread, list[http_load.Seen]]:
        seen: list[http_load.Seen] = []
        sizes, before = self._sizes, self._stack.handled()
        plan = http_load.Plan(
            port=self._stack.port,
            seconds=sizes.seconds,
            rate=sizes.rate,
            connections=32,
            requests=commands.some(self._stack.graph, self._draw, int(sizes.rate * (sizes.seconds + 1))),
        )
        sending = threading.Thread(target=lambda: seen.append(http_load.send(plan, self._environment.cores.all)))
        sending.start()
        wait_for_first(lambda: self._stack.handled() > before)
        return sending, seen

    def _ended(self, sending: threading.Thread, seen: list[http_load.Seen], found: list[float | None]) -> Figures:
        sending.join()
        refused = refused_of(self._stack, seen)
        self._stack.settle(_SETTLE_SECONDS)
        return figures(found, refused)

    def _post(self) -> str:
        cheep_id = str(uuid4())
        body = {"cheep_id": cheep_id, "author_id": self._author, "message": "To all of you"}
        with Line(HOST, self._stack.port) as line:
            answer = line.ask(request("POST", CHEEPS.path, body))
        if answer.status != _ACCEPTED:
            raise BenchError(f"The response to the post was {answer.status}.")
        return cheep_id

    def _is_waiting(self) -> bool:
        return bool(self._redis.exists(views.TASKS.key(self._prefix, self._author)))

    def _delivered(self, cheep_id: str) -> int:
        """Return the number of followers' timelines on which the cheep is the newest."""
        found = 0
        for at in range(0, len(self._followers), _AT_ONCE):
            with self._redis.pipeline(transaction=False) as pipe:
                for follower in self._followers[at : at + _AT_ONCE]:
                    pipe.lindex(views.TIMELINE.key(self._prefix, follower), 0)
                heads = cast("list[bytes | None]", pipe.execute())
            found += sum(head is not None and views.unpack_entry(head)[1] == cheep_id for head in heads)
        return found


class _Watch:
    """The time for which a condition holds, from the first check that finds it to the first that does not."""

    def __init__(self, holds: Callable[[], bool]) -> None:
        self._holds = holds
        self.ended = False
        self._seconds = 0.0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def wait(self) -> float:
        """Wait until it has ended and return its seconds. Raise BenchError."""
        self._thread.join()
        if not self._seconds:
            raise BenchError("The fan-out did not begin, or did not end.")
        return self._seconds

    def _look(self) -> None:
        gives_up, began = time.monotonic() + _PATIENCE, 0.0
        while time.monotonic() < gives_up:
            holds = self._holds()
            if holds and not began:
                began = time.monotonic()
            if began and not holds:
                self._seconds = time.monotonic() - began
                break
            time.sleep(0.01)
        self.ended = True


BENCH: Final = Bench(
    name="heavy_author",
    title="An author of 1,000,000 followers posts",
    open=_open,
    lengths=("tiny", "long"),
    reaches=(
        Reach(label="others' p99 over without", side="with", figure="p99 ms", over="without", wanted=2, at="most"),
        Reach(label="fan-out meanwhile", side="with", figure="entries/s", unit="entries/s"),
        Reach(label="delivered to", side="with", figure="delivered", unit="of 1,000,000", wanted=1_000_000),
    ),
)
