"""Measure what an author, a follow, a post and a page take: CPU time by process and bytes by store, on an own stack.

    python docs/tools/costs.py [AUTHORS] > measured.json

Each of the authors (default 200) signs up, follows 10 others, posts 10 cheeps, and then reads 20 pages and 10 profiles.
A step ends when all views have its commands. What a process takes without work is taken off.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from cheeper_bench.environment.cores import cpu_seconds
from cheeper_local.running import RunningStack
from cheeper_local.waiting import until
from space import TEXT, sizes_of

THREADS: Final = 8
EACH: Final = 10
PAGES: Final = 20
PROFILES: Final = 10
IDLE_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 240.0
SERVERS: Final = {"postgres": "postgresql", "valkey": "redis", "redis": "redis", "mongod": "mongodb", "java": "kafka"}
"""The first word of a server's program, and the name of its row."""

Request = tuple[str, str, Mapping[str, str] | None]
Seconds = dict[str, float]


def main(arguments: list[str]) -> int:
    """Measure and print. The exit code."""
    chosen = random.Random(1)  # noqa: S311 - a seeded graph
    ids = [
        str(uuid.UUID(int=chosen.getrandbits(128), version=4)) for _ in range(int(arguments[0]) if arguments else 200)
    ]
    pairs = [(one, other) for one in ids for other in chosen.sample([each for each in ids if each != one], EACH)]
    steps: dict[str, list[Request]] = {
        "author": [
            ("POST", "/author", {"author_id": one, "username": f"u{n}", "email": f"u{n}@example.com"})
            for n, one in enumerate(ids)
        ],
        "follow": [("POST", "/follow", {"from_author_id": one, "to_author_id": other}) for one, other in pairs],
        "post": [("POST", "/cheep", {"author_id": one, "message": TEXT}) for one in ids * EACH],
        "page": [("GET", f"/author/{one}/timeline?size=10", None) for one in ids * PAGES],
        "profile": [("GET", f"/author/{one}", None) for one in ids * PROFILES],
    }
    with RunningStack.temporary(environment={"QUEUE_MILLISECONDS": "5000"}) as stack:
        taken = {name: Step.of(stack, requests) for name, requests in steps.items()}
        # At the end, when nothing is compiled or loaded any more.
        idle = measured(stack, lambda: time.sleep(IDLE_SECONDS))
    print(json.dumps({name: each.without(idle) for name, each in taken.items()}, indent=1))
    return 0


class Step(NamedTuple):
    """The cost of so many requests: CPU seconds by process, bytes by store, the bytes of the responses, and time."""

    requests: int
    busy: Seconds
    gained: Mapping[str, int]
    responses: int
    seconds: float

    @classmethod
    def of(cls, stack: RunningStack, requests: list[Request]) -> Self:
        """Send the requests, and return what they took until all views have them."""
        sent: list[int] = []
        before, began = sizes_of(stack), time.monotonic()
        busy = measured(stack, lambda: sent.extend(send_all(stack.gateway, requests)))
        seconds, after = time.monotonic() - began, sizes_of(stack)
        return cls(len(requests), busy, {name: after[name] - before[name] for name in after}, sum(sent), seconds)

    def without(self, idle: Seconds) -> dict[str, dict[str, float]]:
        """Return the figures of one request, without what the processes take while nothing happens."""
        work = {name: self.busy[name] - idle[name] / IDLE_SECONDS * self.seconds for name in self.busy}
        return {
            "cpu_microseconds": {name: round(max(0.0, each) * 1e6 / self.requests, 1) for name, each in work.items()},
            "bytes": {name: round(each / self.requests, 1) for name, each in self.gained.items()},
            "response": {"bytes": round(self.responses / self.requests, 1)},
        }


def measured(stack: RunningStack, work: Callable[[], object]) -> Seconds:
    """Return the CPU seconds of each process during the work."""
    before = of_processes(stack)
    work()
    after = of_processes(stack)
    return {name: after[name] - before[name] for name in before}


def of_processes(stack: RunningStack) -> Seconds:
    """Return the CPU seconds of each role and server so far."""
    roles = {each["pid"]: each["role"] for each in stack.processes().values()}
    found = {role: cpu_seconds(pid) for pid, role in roles.items()}
    for pid in children(stack.state["pid"]):
        program = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        for word, name in SERVERS.items():
            if pid not in roles and word in program:
                found[name] = cpu_seconds(pid)
                break
    return found


def children(pid: int) -> Iterable[int]:
    """Return the processes that this one has started."""
    return (
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    )


def send_all(gateway: str, requests: list[Request]) -> list[int]:
    """Send the requests over connections that stay open, and wait for the last ones. Return the responses' bytes."""
    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(lambda part: send(gateway, part), (requests[at::THREADS] for at in range(THREADS))))
    for _, last in found:
        if last is not None:
            until(
                partial(is_projected, gateway, last),
                SETTLE_SECONDS,
                what=f"the command {last} is in the views",
            )
    return [each for sizes, _ in found for each in sizes]


def send(gateway: str, requests: list[Request]) -> tuple[list[int], str | None]:
    """Send requests over one connection. Return the bytes of each response and the message id of the last command."""
    connection, sizes, last = http.client.HTTPConnection(urlsplit(gateway).netloc, timeout=60), [], None
    for method, path, body in requests:
        connection.request(
            method,
            path,
            None if body is None else json.dumps(body),
            {"Content-Type": "application/json", "Accept-Encoding": "gzip"},
        )
        response = connection.getresponse()
        content = response.read()
        if response.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {response.status} {content!r}")
        sizes.append(len(content) + len(str(response.headers)))
        last = response.headers["X-Message-Id"] if method == "POST" else None
    connection.close()
    return sizes, last


def is_projected(gateway: str, message_id: str) -> bool:
    """Return True if the command's outcome is in all views."""
    connection = http.client.HTTPConnection(urlsplit(gateway).netloc, timeout=60)
    connection.request("GET", f"/command/{message_id}")
    found: Any = json.loads(connection.getresponse().read())
    connection.close()
    return bool(found["data"].get("status") == "projected")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
