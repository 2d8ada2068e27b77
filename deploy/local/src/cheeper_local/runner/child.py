"""One process of the stack: started, its lines passed on, restarted when it dies, stopped on request."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from cheeper_local.runner.output import Output
from cheeper_local.system import processes

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 5.0
_LIVED_WELL_SECONDS = 10.0
_CHUNK = 65_536
_LAST_LINES_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A process: its unique name, its role, its command line, additions to the environment, the port and path of its
    health page, and the seconds it may take to end.
    """

    name: str
    role: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    health: str = "/health/ready"
    stop_seconds: float = 12.0


class Child:
    """A process that is kept running from `start` to `stop`."""

    def __init__(
        self,
        spec: Spec,
        output: Output,
        *,
        keep_open: tuple[int, ...] = (),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.spec = spec
        self.restarts = 0
        self.last_code: int | None = None
        self.last_line = ""
        self._output = output
        self._keep_open = keep_open
        self._on_change = on_change
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._unwanted = asyncio.Event()
        self._unwanted.set()

    @property
    def pid(self) -> int | None:
        """The id of the process, None while it does not run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def wanted(self) -> bool:
        """True from `start` to `stop`."""
        return not self._unwanted.is_set()

    def start(self) -> None:
        """Start it and keep it running."""
        if self._task is None or self._task.done():
            self._unwanted.clear()
            self._task = asyncio.create_task(self._keep_running(), name=self.spec.name)

    async def stop(self, *, at_once: bool = False) -> None:
        """Send SIGTERM, and SIGKILL after its time, and leave it stopped."""
        self._unwanted.set()
        if self._task is None:
            return
        self._signal(signal.SIGKILL if at_once else signal.SIGTERM)
        self.thaw()  # a frozen process does not act on SIGTERM
        try:
            await asyncio.wait_for(asyncio.shield(self._task), self.spec.stop_seconds)
        except TimeoutError:
            self._output.report(self.spec.name, f"did not end within {self.spec.stop_seconds:g} s and is killed")
            self._signal(signal.SIGKILL)
            await self._task

    def kill(self) -> int | None:
        """End it as a crash would; it is restarted. Return the pid that was killed."""
        pid = self.pid
        self._signal(signal.SIGKILL)
        return pid

    def freeze(self) -> None:
        """Suspend it, with its connections open, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume it; harmless if it was not frozen."""
        self._signal(signal.SIGCONT)

    async def run_once(self) -> int:
        """Run it to its end. Return its exit code."""
        self._unwanted.clear()
        return await self._run()

    async def _keep_running(self) -> None:
        pause = _FIRST_PAUSE
        while self.wanted:
            began = time.monotonic()
            try:
                code = await self._run()
            except OSError as error:  # no memory or no process left: as good as a death
                self._output.report(self.spec.name, f"could not be started: {error}")
                code = self.last_code = 1
            if not self.wanted:
                return
            if time.monotonic() - began > _LIVED_WELL_SECONDS:
                pause = _FIRST_PAUSE
            self._output.report(self.spec.name, f"died ({describe_exit(code)}); restarting in {pause:g} s")
            self.restarts += 1
            self._on_change()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._unwanted.wait(), pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *processes.leashed(self.spec.command),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env={**os.environ, **self.spec.environment},
            start_new_session=True,
            pass_fds=self._keep_open,
        )
        self._on_change()
        if not self.wanted:  # `stop` came while it was being started
            self._signal(signal.SIGKILL)
        lines = asyncio.create_task(self._pass_lines_on(self._process))
        self.last_code = await self._process.wait()
        with suppress(TimeoutError):  # a descendant may hold the pipe open
            await asyncio.wait_for(lines, _LAST_LINES_SECONDS)
        return self.last_code

    async def _pass_lines_on(self, process: Process) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for above
        rest = b""
        while chunk := await process.stdout.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            self._pass_on(lines)
        self._pass_on([rest] if rest else [])

    def _pass_on(self, lines: list[bytes]) -> None:
        if lines:
            self.last_line = lines[-1].decode(errors="replace").strip() or self.last_line
            self._output.lines(self.spec.name, lines)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            # Not by the process's own `send_signal`: it checks first that the process lives, which takes the exit code
            # from the waiting task, and that then gets 255.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


def describe_exit(code: int) -> str:
    """Return an exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
