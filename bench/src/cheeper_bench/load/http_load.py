"""The load generator, a process with a core of its own: it reads a plan from stdin and writes its findings to stdout.

*Closed*: each connection sends its next request once it has an answer, which finds the throughput. *Open*: requests go
out at a given rate whatever the answers do, and a latency counts from the moment at which its request was due, so that
a server that stalls is charged for all who would have come meanwhile.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import deque
from typing import Final, cast

import msgspec
import uvloop

from cheeper_bench.environment import cores
from cheeper_bench.environment.cores import Cpus
from cheeper_bench.errors import BenchError
from cheeper_bench.load.http_line import answer_in
from cheeper_local.system.ports import HOST

_TICK: Final = 0.001
PATIENCE: Final = 10.0
"""Seconds after the end of a load until a response is given up."""
_BAD: Final = 400


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of a load. `requests` are (name, bytes), sent in this order and repeated from the first.

    `rate` per second makes the load an open one; without it each connection sends all the time. `warm` seconds are not
    counted.
    """

    port: int
    seconds: float
    requests: list[tuple[str, bytes]]
    connections: int = 16
    rate: float | None = None
    warm: float = 0.3


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The findings: milliseconds of the served requests by name, in order; the numbers of refused ones (4xx, 5xx) by
    status and of those without a response at the end; the seconds counted; the generator's share of its core, 0 to 1;
    the number sent, those of the warm-up too.
    """

    latencies: dict[str, list[float]]
    refused: dict[int, int]
    unanswered: int
    seconds: float
    busy: float
    sent: int

    @property
    def all(self) -> list[float]:
        """The latencies of all requests."""
        return [one for some in self.latencies.values() for one in some]

    @property
    def per_second(self) -> float:
        """Responses per second."""
        return len(self.all) / self.seconds


def send(plan: Plan, cpus: Cpus) -> Seen:
    """Run a plan in a process of its own on these cores. Raise BenchError if it fails."""
    with cores.on(cpus):
        done = subprocess.run(
            [sys.executable, "-m", "cheeper_bench.load.http_load"],
            input=msgspec.msgpack.encode(plan),
            capture_output=True,
            check=False,
        )
    if done.returncode != 0:
        raise BenchError(f"The load failed: {done.stderr.decode(errors='replace').strip().splitlines()[-1:]}")
    return msgspec.msgpack.decode(done.stdout, type=Seen)


class _Load:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        self.latencies: dict[str, list[float]] = {name: [] for name, _ in plan.requests}
        self.refused: dict[int, int] = {}
        # In turn, since the gateway closes a connection that sends nothing in its first seconds.
        self.free: deque[_Connection] = deque()
        self.due: deque[float] = deque()
        self.sent = 0
        self.under_way = 0
        self.failed: str | None = None
        self.counting_from = time.monotonic() + plan.warm
        self.ends = self.counting_from + plan.seconds

    async def run(self) -> Seen:
        connections = []
        for _ in range(self.plan.connections):
            _, connection = await self.loop.create_connection(lambda: _Connection(self), HOST, self.plan.port)
            connections.append(connection)
        self.free.extend(connections)
        self.counting_from = time.monotonic() + self.plan.warm
        self.ends = self.counting_from + self.plan.seconds
        began = time.process_time()
        if self.plan.rate is None:
            for connection in connections:
                self.go_on(connection)
            await asyncio.sleep(self.ends - time.monotonic())
        else:
            await self._at_rate(self.plan.rate)
        busy = (time.process_time() - began) / (self.plan.seconds + self.plan.warm)
        gives_up = time.monotonic() + PATIENCE
        while (self.under_way or self.due) and time.monotonic() < gives_up and not self.failed:  # noqa: ASYNC110 - bounded
            await asyncio.sleep(_TICK)
        if self.failed:
            raise BenchError(self.failed)
        return Seen(
            latencies=self.latencies,
            refused=self.refused,
            unanswered=self.under_way + len(self.due),
            seconds=self.plan.seconds,
            busy=min(busy, 1.0),
            sent=self.sent,
        )

    async def _at_rate(self, rate: float) -> None:
        begins, number = time.monotonic(), 0
        while (now := time.monotonic()) < self.ends and not self.failed:
            while begins + number / rate <= now:
                self.due.append(begins + number / rate)
                number += 1
            while self.due and self.free:
                self.begin(self.free.popleft(), self.due.popleft())
            await asyncio.sleep(_TICK)

    def begin(self, connection: _Connection, due: float) -> None:
        name, content = self.plan.requests[self.sent % len(self.plan.requests)]
        self.sent += 1
        self.under_way += 1
        connection.send(name, content, due)

    def go_on(self, connection: _Connection) -> None:
        """Return the connection is free again."""
        if self.plan.rate is None:
            if (now := time.monotonic()) < self.ends:
                self.begin(connection, now)
        elif self.due:
            self.begin(connection, self.due.popleft())
        else:
            self.free.append(connection)

    def answered(self, connection: _Connection, status: int) -> None:
        now = time.monotonic()
        self.under_way -= 1
        in_time = now <= self.ends if self.plan.rate is None else connection.due < self.ends
        if status >= _BAD:
            self.refused[status] = self.refused.get(status, 0) + 1
        elif connection.due >= self.counting_from and in_time:
            self.latencies[connection.name].append((now - connection.due) * 1000)
        self.go_on(connection)


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self._load = load
        self._data = bytearray()
        self.name, self.due = "", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.failed = self._load.failed or f"the server closed a connection: {exc}"

    def send(self, name: str, content: bytes, due: float) -> None:
        self.name, self.due = name, due
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        self._data += data
        answer = answer_in(self._data)
        if answer is not None:
            del self._data[: answer.taken]
            self._load.answered(self, answer.status)


async def _main() -> None:
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.msgpack.encode(await _Load(plan).run()))


if __name__ == "__main__":
    uvloop.run(_main())
