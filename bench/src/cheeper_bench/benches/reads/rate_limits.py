"""GET timeline of 10, with limits of each caller and without, in CPU time of read-api.

The same pages of 10 from the same views, each read by one of as many clients as there are authors.

- *off*: a process without limits; *on*: one that has a bucket for each client; *on, shared*: one that also shares the
  buckets with other replicas, through a server of its own.

Fair, since all three are alike but for two settings and take their turns on the same core, and a ratio is taken run by
run. CPU time is compared and not throughput, which depends on what else the cores do. No request is refused: the limits
are far above the load, as they are for those who are served.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cheeper_bench.benches.reads.timeline_read import load_of
from cheeper_bench.environment import graph, seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.load.http_line import request
from cheeper_bench.measuring.bench import Bench, Length, Reach, Sides
from cheeper_contracts.http.responses import CLIENT_ADDRESS_HEADER
from cheeper_contracts.http.routes import TIMELINE

_AUTHORS: Final[dict[Length, int]] = {"tiny": 60, "short": 962, "long": 962}
_FOLLOWS, _CHEEPS = 39, 20
_SECONDS: Final[dict[Length, float]] = {"tiny": 0.3, "short": 1.0, "long": 10.0}
_ON: Final = {"LIMITS": "on", "LIMIT_BURST": "1000000", "LIMIT_PER_MINUTE": "10000000"}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    world = graph.power_law(_AUTHORS[length], follows=min(_FOLLOWS, _AUTHORS[length] // 2), cheeps=_CHEEPS)
    views = {"REDIS_URL": environment.redis.url, "REDIS_PREFIX": "", "MONGO_URL": environment.mongo.url}
    seeding.seed_hot_views(world, views)
    requests = [
        _page_of(world.author_id(author), f"10.0.{author // 256}.{author % 256}") for author in range(world.authors)
    ]
    settings = {
        "off": {"LIMITS": "off"},
        "on": _ON,
        "on, shared": {**_ON, "LIMITS_URL": environment.another_redis("limits")},
    }
    sides = {}
    for name, variables in settings.items():
        read_api = environment.start("read_api", "http", env={**views, **variables})
        read_api.wait_ready()
        sides[name] = load_of(environment, read_api, requests, _SECONDS[length])
    yield sides


def _page_of(author: str, client: str) -> tuple[str, bytes]:
    path = TIMELINE.path.replace("{author_id}", author)
    return "timeline", request("GET", f"{path}?size=10", headers={CLIENT_ADDRESS_HEADER: client})


BENCH: Final = Bench(
    name="rate_limits",
    title="GET timeline of 10, with limits",
    open=_open,
    reaches=tuple(
        Reach(
            label=f"CPU over that without limits, {side}",
            side=side,
            figure="CPU ms/request",
            over="off",
            wanted=1.03,
            at="most",
        )
        for side in ("on", "on, shared")
    ),
)
