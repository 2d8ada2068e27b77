"""A cheep over HTTP through the gateway, and how long until it is on a follower's timeline, over HTTP as well.

Asynchronous, as posts are by default: gateway, write-api, Kafka, worker, PostgreSQL, relay, Kafka, projector, Redis,
read-api, gateway. The clock starts before the request is sent and ends with the answer whose first cheep it is; the
client asks again a millisecond after each answer, so a figure is up to one read and a millisecond too high. *At rest*
nothing else goes on; at *200 commands/s* a load of posts and follows goes through the same gateway, due at an even rate
whatever the answers do. Each post is by another author, for a reader of theirs.

The whole stack, one process a role, the client and the load share all cores, with all durability on. A round at 200
commands/s ends with the wait until everything that was sent is in the views. *Refused* are responses 429 and 5xx, of
the load and of the posts that are watched, and those that never came.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

import msgspec

from cheeper_bench.environment import graph
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.stack import Whole, whole
from cheeper_bench.errors import BenchError
from cheeper_bench.load import commands, http_load
from cheeper_bench.load.http_line import Line, request
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Side, Sides
from cheeper_bench.measuring.spread import percentile
from cheeper_contracts.http.routes import CHEEPS, TIMELINE
from cheeper_local.system.ports import HOST

_RATE: Final = 200
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.001
_ACCEPTED: Final = 202
_REFUSED: Final = (429, 503)


class _Sizes(msgspec.Struct, frozen=True):
    authors: int
    follows: int  # an author
    posts: int
    rate: int


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(30, 4, 5, 20),
    "short": _Sizes(962, 20, 200, _RATE),
    "long": _Sizes(962, 39, 1_000, _RATE),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    if environment.graph is not None and length != "tiny":
        world = graph.given(environment.graph, environment.texts, cheeps=5)
    else:
        world = graph.power_law(sizes.authors, follows=sizes.follows, cheeps=2)
    draw = random.Random(1)  # noqa: S311 - repeatable, no secret
    with whole(environment, world) as stack:
        yield {
            "at rest": _at_rest(stack, draw, sizes.posts),
            f"at {_RATE} commands/s": _under_load(environment, stack, draw, sizes),
        }


def _at_rest(stack: Whole, draw: random.Random, posts: int) -> Side:
    def run() -> Figures:
        return figures([latency(stack, draw) for _ in range(posts)], 0)

    return run


def _under_load(environment: Environment, stack: Whole, draw: random.Random, sizes: _Sizes) -> Side:
    seconds = max(1.0, sizes.posts * 0.02)

    def run() -> Figures:
        before = stack.handled()
        seen: list[http_load.Seen] = []
        load = http_load.Plan(
            port=stack.port,
            seconds=seconds,
            rate=sizes.rate,
            connections=32,
            requests=commands.some(stack.graph, draw, int(sizes.rate * (seconds + 1))),
        )
        sending = threading.Thread(target=lambda: seen.append(http_load.send(load, environment.cores.all)))
        sending.start()
        wait_for_first(lambda: stack.handled() > before)
        found = []
        while sending.is_alive():
            found.append(latency(stack, draw))
        sending.join()
        refused = refused_of(stack, seen)
        stack.settle(_PATIENCE)
        return figures(found, refused)

    return run


def wait_for_first(moved: Callable[[], bool]) -> None:
    """Wait until the load has arrived. Raise BenchError."""
    ends = time.monotonic() + _PATIENCE
    while not moved():
        if time.monotonic() > ends:
            raise BenchError("The load does not arrive.")
        time.sleep(0.01)


def refused_of(stack: Whole, seen: list[http_load.Seen]) -> int:
    """Return how many requests of the load were refused. Raise BenchError if it was not sent whole."""
    if not seen:
        raise BenchError("The load ended before it was sent.")
    return stack.note_refused(seen[0].refused, seen[0].unanswered)


def figures(found: list[float | None], refused: int) -> Figures:
    """Return the percentiles of the latencies, and how many posts were refused beside so many other requests."""
    seen = [one for one in found if one is not None]
    return {
        "p50 ms": percentile(seen, 50),
        "p99 ms": percentile(seen, 99),
        "posts": len(seen),
        "refused": refused + len(found) - len(seen),
    }


def latency(stack: Whole, draw: random.Random) -> float | None:
    """Return the milliseconds from a post until it is first on a follower's timeline, or None if it was refused.

    Raise BenchError.
    """
    world = stack.graph
    cheep_id, (reader, author) = str(uuid4()), draw.choice(world.follows)
    post = {"cheep_id": cheep_id, "author_id": world.author_id(author), "message": "Is it there yet?"}
    page = request("GET", f"{TIMELINE.path.replace('{author_id}', world.author_id(reader))}?size=10")
    with Line(HOST, stack.port) as writing, Line(HOST, stack.port) as reading:
        began = time.perf_counter()
        answer = writing.ask(request("POST", CHEEPS.path, post))
        if answer.status in _REFUSED:
            stack.note_refused({answer.status: 1})
            return None
        if answer.status != _ACCEPTED:
            raise BenchError(f"The response to a post was {answer.status}: {answer.body[:200]!r}")
        while cheep_id.encode() not in reading.ask(page).body:
            if time.perf_counter() - began > _PATIENCE:
                raise BenchError(f"A post was not visible after {_PATIENCE:g} s.")
            time.sleep(_PAUSE)  # or else asking takes a core from what is measured
        return (time.perf_counter() - began) * 1000


_AT_REST, _LOADED = "at rest", f"at {_RATE} commands/s"

BENCH: Final = Bench(
    name="post_to_visible",
    title="Post to visible, over HTTP",
    open=_open,
    reaches=(
        Reach(label="p50 at rest", side=_AT_REST, figure="p50 ms", wanted=10, at="most", unit="ms"),
        Reach(label="p99 at rest", side=_AT_REST, figure="p99 ms", wanted=40, at="most", unit="ms"),
        Reach(label=f"p50 {_LOADED}", side=_LOADED, figure="p50 ms", wanted=25, at="most", unit="ms"),
        Reach(label=f"p99 {_LOADED}", side=_LOADED, figure="p99 ms", wanted=90, at="most", unit="ms"),
    ),
)
