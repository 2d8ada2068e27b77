"""A run to its end: disturbances under load, then rest, then every view against the write model, and the audit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import count
from typing import Final

import httpx
import msgspec

from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.faults.chaos.disturbances import Disturber
from cheeper_e2e.faults.chaos.load import CLIENTS, Load
from cheeper_e2e.faults.chaos.plan import REPLICAS, ROLES, Disturbance, story
from cheeper_e2e.faults.chaos.verification import Verification
from cheeper_e2e.http.callers import Callers
from cheeper_e2e.http.client import Client, UnavailableError
from cheeper_local.errors import LocalError
from cheeper_local.running import RunningStack

AUTHORS: Final = 40
ENVIRONMENT: Final = {
    **{f"{role.upper().replace('-', '_')}_REPLICAS": str(REPLICAS) for role in ROLES},
    # Few followers make a fan-out a task, so that tasks are killed and restored too.
    "FANOUT_INLINE_MAX": "4",
    "FANOUT_SLICE": "2",
}
_GOING_WRONG: Final = (AssertionError, UnavailableError, LocalError, TimeoutError, httpx.HTTPError)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The amount of work done, and in `wrong` what failed, with the seed and all that was done before it."""

    disturbances: int
    kills: int
    commands: int
    seconds: float
    wrong: str | None


class Run:
    """One run over a stack of its own. `say` gets a line for each disturbance and each step at the end, and `callers`
    sign the requests if the stack takes tokens.
    """

    def __init__(  # noqa: PLR0913 - what a run is made of
        self,
        stack: RunningStack,
        *,
        seed: int,
        rate: float,
        patience: float,
        say: Callable[[str], object],
        callers: Callers | None = None,
    ) -> None:
        self._stack = stack
        self._callers = callers
        self._seed = seed
        self._rate = rate
        self._patience = patience
        self._say = say
        self._began = time.monotonic()
        self._done: list[tuple[float, Disturbance]] = []
        self._disturber = Disturber(stack)

    async def of(self, planned: Iterable[Disturbance], *, within: float | None = None) -> Outcome:
        """Do what is planned, or as much of it as begins within so many seconds, and look at what it left."""
        wrong: str | None
        async with Client(
            self._stack.gateway, patience=self._patience, connections=CLIENTS * 3, callers=self._callers
        ) as client:
            traffic = RandomTraffic(client, self._seed, authors=AUTHORS)
            verification = Verification(
                traffic, client, self._stack.environment, patience=self._patience, say=self._say_when
            )
            try:
                await self._disturb(traffic, verification, planned, within)
                wrong = await self._verify(verification)
            except _GOING_WRONG as error:
                wrong = f"{type(error).__name__}: {error}"
        return Outcome(
            disturbances=len(self._done),
            kills=sum(disturbance.kills for _, disturbance in self._done),
            commands=traffic.sender.requests,
            seconds=self._seconds(),
            wrong=None if wrong is None else f"seed {self._seed}:\n{story(self._done)}\n{wrong}",
        )

    async def _disturb(
        self,
        traffic: RandomTraffic,
        verification: Verification,
        planned: Iterable[Disturbance],
        within: float | None,
    ) -> None:
        """Load and disturbances, with rest before each wipe."""
        left = iter(planned)
        for part in count():
            wipe = None
            async with Load(traffic, self._rate, part) as load:
                await load.more()
                for disturbance in left:
                    if within is not None and self._seconds() > within:
                        return
                    if disturbance.kind == "wipe":
                        wipe = disturbance
                        break
                    self._note(disturbance)
                    await self._disturber.disturb(disturbance, load)
            if wipe is None:
                return
            await verification.come_to_rest()
            self._note(wipe)
            await self._disturber.wipe(wipe.target)

    async def _verify(self, verification: Verification) -> str | None:
        """Return what is wrong in the end, or None."""
        await asyncio.to_thread(self._stack.wait_ready)
        wrongs = await verification.problems()
        wrongs += [
            f"{name} was killed {self._disturber.killed[name]} times and started again {process['restarts']} times"
            for name, process in self._stack.processes().items()
            if process["restarts"] != self._disturber.killed[name]
        ]
        return "\n".join(wrongs) or None

    def _say_when(self, line: str) -> None:
        self._say(f"{self._seconds():7.1f} s  {line}")

    def _note(self, disturbance: Disturbance) -> None:
        self._done.append((self._seconds(), disturbance))
        self._say(story(self._done[-1:]))

    def _seconds(self) -> float:
        return time.monotonic() - self._began
