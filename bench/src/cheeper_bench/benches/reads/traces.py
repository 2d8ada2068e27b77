"""Traces off, at 1 % and at 100 %, in CPU time of read-api and of write-api http.

The same pages of 10 from the same views, and the same synchronous commands: a profile that is updated to what it is.

- *off*: no collector is set; *1 %* and *100 %*: spans, of one request in a hundred and of all, go to a collector on
  another core, which reads and forgets them.

Fair, since all three are alike but for the settings of OpenTelemetry, take their turns on the same core, and a ratio is
taken run by run. CPU time of the whole process is compared, so that of the thread that exports spans is in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from cheeper_bench.benches.reads.timeline_read import load_of
from cheeper_bench.environment import graph, seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.load.http_line import Line, request
from cheeper_bench.measuring.bench import Bench, Length, Reach, Side, Sides
from cheeper_contracts.http.routes import AUTHOR, AUTHORS, TIMELINE
from cheeper_local.system.ports import HOST

_AUTHORS: Final[dict[Length, int]] = {"tiny": 60, "short": 962, "long": 962}
_WRITERS: Final = 60
_FOLLOWS, _CHEEPS = 39, 20
_SECONDS: Final[dict[Length, float]] = {"tiny": 0.3, "short": 1.0, "long": 10.0}
_COLLECTOR: Final = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    program = environment.folder / "collector.py"
    program.write_text(_COLLECTOR)
    collector = environment.start_command([sys.executable, "-u", program], cpus=environment.cores.others)
    collector.wait_ready()
    sampled = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{collector.port}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    }
    settings: dict[str, dict[str, str]] = {
        "off": {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        "1 %": {**sampled, "OTEL_TRACES_SAMPLER_ARG": "0.01"},
        "100 %": {**sampled, "OTEL_TRACES_SAMPLER_ARG": "1.0"},
    }
    yield {**_reads(environment, length, settings), **_commands(environment, length, settings)}


def _reads(environment: Environment, length: Length, settings: Mapping[str, Mapping[str, str]]) -> Sides:
    world = graph.power_law(_AUTHORS[length], follows=min(_FOLLOWS, _AUTHORS[length] // 2), cheeps=_CHEEPS)
    views = {"REDIS_URL": environment.redis.url, "REDIS_PREFIX": "", "MONGO_URL": environment.mongo.url}
    seeding.seed_hot_views(world, views)
    pages = [TIMELINE.path.replace("{author_id}", world.author_id(author)) for author in range(world.authors)]
    requests = [("timeline", request("GET", f"{page}?size=10")) for page in pages]
    sides: dict[str, Side] = {}
    for name, variables in settings.items():
        read_api = environment.start("read_api", "http", env={**views, **variables})
        read_api.wait_ready()
        sides[f"read, {name}"] = load_of(environment, read_api, requests, _SECONDS[length])
    return sides


def _commands(environment: Environment, length: Length, settings: Mapping[str, Mapping[str, str]]) -> Sides:
    prefix = "t."
    env = environment.variables(database=environment.database(prefix), prefix=prefix)
    authors = [f"00000000-0000-4000-8000-{author:012x}" for author in range(_WRITERS)]
    updates = [request("PATCH", AUTHOR.path.replace("{author_id}", each), {"bio": "the same"}) for each in authors]
    sides: dict[str, Side] = {}
    for name, variables in settings.items():
        write_api = environment.start("write_api", "http", env={**env, **variables})
        write_api.wait_ready()
        if not sides:
            with Line(HOST, write_api.port) as line:
                for number, author in enumerate(authors):
                    fields = {"author_id": author, "username": f"u{number}", "email": f"u{number}@example.com"}
                    line.ask(request("POST", AUTHORS.path, fields))
        sides[f"command, {name}"] = load_of(
            environment, write_api, [("update", each) for each in updates], _SECONDS[length]
        )
    return sides


BENCH: Final = Bench(
    name="traces",
    title="Traces, in CPU time",
    open=_open,
    reaches=tuple(
        Reach(
            label=f"CPU of a {what} over that without traces, {ratio}",
            side=f"{what}, {ratio}",
            figure="CPU ms/request",
            over=f"{what}, off",
            wanted=wanted,
            at="most",
        )
        for what in ("read", "command")
        for ratio, wanted in (("1 %", 1.02), ("100 %", None))
    ),
)
