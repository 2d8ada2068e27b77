"""A run of the fuzz over a stack: cases in batches, and after each batch a good request at every port."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

import httpx
import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from cheeper_e2e.hostile.raw_http.cases import Case, case
from cheeper_e2e.hostile.raw_http.connection import Address, Received, exchange
from cheeper_e2e.hostile.raw_http.responses import MalformedError, statuses
from cheeper_e2e.hostile.raw_http.rule import may_be_a_stall, problem
from cheeper_local.running import RunningStack

BATCH: Final = 16
"""The number of connections that are open at once, at ports in turn."""
BOUND_SECONDS: Final = 60.0
"""A generous bound for a connection: the longest time-out of a stack is a third of it."""
MOST_PROBLEMS: Final = 20
_GOOD_SECONDS: Final = 30.0
_ATTEMPTS: Final = 3
_SHOWN_BYTES: Final = 2000
_QUERIES: Final = ("gateway", "read-api")
_COMMANDS: Final = ("gateway", "write-api")


class Outcome(msgspec.Struct, kw_only=True):
    """The cases by the status that they got (0: a close without a response), the longest connection in seconds, and a
    sentence for each problem.
    """

    cases: int = 0
    statuses: Counter[int] = msgspec.field(default_factory=Counter)
    longest: float = 0.0
    problems: list[str] = msgspec.field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """True once so many problems are found that more would say nothing new."""
        return len(self.problems) >= MOST_PROBLEMS


class Fuzz:
    """A run over a stack's ports. `tick` is called after each case."""

    def __init__(self, stack: RunningStack, tick: Callable[[], object]) -> None:
        self._stack = stack
        self._tick = tick
        self._processes = stack.processes()
        self._addresses = [
            Address(name, process["port"])
            for name, process in self._processes.items()
            if process["role"] in {*_QUERIES, *_COMMANDS}
        ]
        self.outcome = Outcome()

    def run(self, cases: int, number: int) -> Outcome:
        """Send that many cases, drawn by the seed `number`. Problems are collected, up to MOST_PROBLEMS."""

        @seed(number)
        @settings(
            max_examples=-(-cases // BATCH),
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(case(), min_size=BATCH, max_size=BATCH))
        def send(batch: list[Case]) -> None:
            if self.outcome.cases < cases and not self.outcome.is_over:
                runner.run(self._send(batch[: cases - self.outcome.cases]))

        with asyncio.Runner() as runner:
            send()
        return self.outcome

    async def _send(self, batch: Sequence[Case]) -> None:
        begin = self.outcome.cases
        jobs = [self._send_one(begin + number, each) for number, each in enumerate(batch)]
        await asyncio.gather(*jobs)
        for address in self._addresses:
            if wrong := await self._good_requests(address):
                self._note(f"after case {self.outcome.cases}", address, wrong)
        for name, process in self._stack.processes().items():
            before = self._processes[name]
            if (process["pid"], process["restarts"]) != (before["pid"], before["restarts"]):
                self._note(f"before case {self.outcome.cases}", Address(name, process["port"]), "it was restarted")
        self._processes = self._stack.processes()

    async def _send_one(self, number: int, one: Case) -> None:
        address = self._addresses[number % len(self._addresses)]
        try:
            received, wrong = await self._judged(address, one)
        except OSError as error:
            self._note(f"case {number}", address, f"no connection: {error}")
            return
        self.outcome.longest = max(self.outcome.longest, received.seconds)
        if wrong is None:
            self._count(one, received.content)
        else:
            shown = one.sent[:_SHOWN_BYTES]
            self._note(f"case {number}", address, f"{wrong}: sent {shown!r} ({len(one.sent)} bytes, {one.ending})")
        self.outcome.cases += 1
        self._tick()

    async def _judged(self, address: Address, one: Case) -> tuple[Received, str | None]:
        """Send a case, and once more as often as a stall of the machine could explain the problem. Raise OSError."""
        for _ in range(_ATTEMPTS):
            received = await exchange(address, one, BOUND_SECONDS)
            wrong = problem(one, received)
            if wrong is None or not may_be_a_stall(received):
                break
        return received, wrong

    def _count(self, one: Case, content: bytes) -> None:
        try:
            self.outcome.statuses.update(statuses(content, head=one.has_head) or [0])
        except MalformedError:  # of a reset connection
            self.outcome.statuses[0] += 1

    def _note(self, when: str, address: Address, sentence: str) -> None:
        self.outcome.problems.append(f"{when} at {address.name}: {sentence}")

    async def _good_requests(self, address: Address) -> str | None:
        """Return a sentence if good requests do not succeed, however often they are repeated."""
        wrong = None
        for _ in range(_ATTEMPTS):
            wrong = await self._good_request(address)
            if wrong is None:
                break
        return wrong

    async def _good_request(self, address: Address) -> str | None:
        """Return a sentence if a good query or command has a wrong response, or that of another request."""
        role = self._processes[address.name]["role"]
        mark = str(uuid.uuid4())
        url = f"http://{address.host}:{address.port}"
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=_GOOD_SECONDS, verify=False) as http:  # noqa: S501 - http only
                if role in _QUERIES:
                    response = await http.get(f"/author/{mark}/followers-counter")
                    if response.status_code != HTTPStatus.NOT_FOUND or mark not in response.text:
                        return f"a good query got {response.status_code} {response.text}"
                if role in _COMMANDS:
                    response = await http.post("/author", json={"username": ""}, headers={"Idempotency-Key": mark})
                    if response.status_code != HTTPStatus.UNPROCESSABLE_ENTITY or mark not in response.text:
                        return f"a command that must be refused got {response.status_code} {response.text}"
        except httpx.HTTPError as error:
            return f"a good request failed: {error!r}"
        return None
