"""The process that carries out attacks, and the handle of it.

It is a process of its own with a lower priority, so that its work takes less of the time that the system under attack
and the good client have, and still keeps its pace. It reads a line of JSON with the victim, then the names of
attacks to begin, each ended by an empty line. It prints an empty line when an attack has begun, and what it did as JSON
when the attack has ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import msgspec

from cheeper_e2e.hostile.attack.attacks.base import NO_RESPONSE, Attack, Victim
from cheeper_e2e.hostile.attack.attacks.registry import ATTACKS

_LOWER_PRIORITY: Final = 5
_LEAST_PAUSE: Final = 0.001


class Strikes(msgspec.Struct, frozen=True, kw_only=True):
    """The strikes of a window: how many began, the responses by status (0: a close), and seconds of processor time."""

    begun: int
    statuses: dict[int, int]
    cpu_seconds: float


class Attacker:
    """The handle: `begin` an attack, and `stop` it."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        self._write(msgspec.json.encode(self._victim))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None  # noqa: S101 - started above
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def begin(self, attack: Attack) -> None:
        """Begin an attack, and wait until its first strike is under way."""
        self._write(attack.name.encode())
        await self._read()

    async def stop(self) -> Strikes:
        """End the attack. Strikes that are under way are abandoned."""
        self._write(b"")
        return msgspec.json.decode(await self._read(), type=Strikes)

    async def _read(self) -> bytes:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018 - started above
        return await self._process.stdout.readline()

    def _write(self, line: bytes) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: S101, PT018 - started above
        self._process.stdin.write(line + b"\n")


class Window:
    """Strikes at the attack's pace until `stop`."""

    def __init__(self, attack: Attack, victim: Victim, first: int) -> None:
        self._attack = attack
        self._victim = victim
        self._number = first
        self._begun = 0
        self.has_begun = asyncio.Event()
        self._statuses: Counter[int] = Counter()
        self._under_way: set[asyncio.Task[None]] = set()
        self._cpu = time.process_time()
        self._loop = asyncio.create_task(self._strike_on())

    async def stop(self) -> Strikes:
        """Abandon what is under way and return what was done."""
        tasks = [self._loop, *self._under_way]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        cpu = time.process_time() - self._cpu
        return Strikes(begun=self._begun, statuses=dict(self._statuses), cpu_seconds=cpu)

    async def _strike_on(self) -> None:
        most = self._victim.scale.held_open if self._attack.clients is None else self._attack.clients
        began = time.monotonic()
        ticks = 0
        while True:
            ticks += 1
            await asyncio.sleep(max(_LEAST_PAUSE, began + ticks / self._attack.per_second - time.monotonic()))
            if len(self._under_way) < most:
                task = asyncio.create_task(self._strike())
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _strike(self) -> None:
        number = self._number + self._begun
        self._begun += 1
        self.has_begun.set()
        try:
            status = await self._attack.strike(self._victim, number)
        except (OSError, asyncio.IncompleteReadError, ValueError):  # a refused connection, or a line that is none
            status = NO_RESPONSE
        self._statuses[status] += 1


async def main() -> None:
    """Carry out what comes on stdin until it ends."""
    read = asyncio.get_running_loop().run_in_executor
    victim = msgspec.json.decode(await read(None, sys.stdin.readline), type=Victim)
    struck: Counter[str] = Counter()
    while name := (await read(None, sys.stdin.readline)).strip():
        window = Window(ATTACKS[name], victim, struck[name])
        await window.has_begun.wait()
        _print("")
        await read(None, sys.stdin.readline)
        strikes = await window.stop()
        struck[name] += strikes.begun
        _print(msgspec.json.encode(strikes).decode())


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.nice(_LOWER_PRIORITY)
    asyncio.run(main())
