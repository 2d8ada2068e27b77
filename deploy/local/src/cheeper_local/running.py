"""Talking to a running stack: what `make stop`, `make status`, the demo and the end-to-end suite use."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cheeper_local import processes
from cheeper_local.errors import LocalError
from cheeper_local.ports import HOST, free_port
from cheeper_local.runner.run import log_of_background
from cheeper_local.stack_folder import StackFolder
from cheeper_local.waiting import until

_START_SECONDS = 300.0
_STOP_SECONDS = 90.0
_ACTION_SECONDS = 180.0


class RunningStack:
    """A stack that runs in a process of its own.

    `with RunningStack.start(folder) as stack:` starts one on a free port and stops it at the end;
    `RunningStack.of(folder)` is the one that runs from a folder already, whoever started it.
    """

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder

    @classmethod
    def of(cls, data: Path) -> Self:
        """The stack that runs from that data folder. Raises LocalError where none does."""
        folder = StackFolder(data)
        if folder.read_state() is None:
            raise LocalError(f"No stack runs from {data}: `make up` or `make start` starts one.")
        return cls(folder)

    @classmethod
    def start(cls, data: Path, *, step: bool = False, environment: Mapping[str, str] | None = None) -> Self:
        """Start a stack that ends with this process at the latest, and wait until it is ready. Raises LocalError.

        `environment` adds to this process's (PORT, BROKER, READ_API_REPLICAS, FANOUT_INLINE_MAX …).
        """
        port = {"PORT": str(free_port()), "STEP": "1" if step else "", "DATA": str(data)}
        return cls._start(data, {**port, **(environment or {})}, leashed=True)

    @classmethod
    def start_in_background(cls, data: Path) -> Self:
        """Start a stack that stays when this process ends, and wait until it is ready. Raises LocalError."""
        return cls._start(data, {"DATA": str(data)}, leashed=False)

    @classmethod
    def _start(cls, data: Path, environment: Mapping[str, str], *, leashed: bool) -> Self:
        folder = StackFolder(data)
        folder.make()
        command = [sys.executable, "-m", "cheeper_local", "up", "--quiet"]
        with log_of_background(data).open("wb") as log, tempfile.TemporaryFile() as complaint:
            runner = subprocess.Popen(
                processes.leashed(command, on_parent_death=signal.SIGTERM) if leashed else command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=complaint,
                env={**os.environ, **environment},
                start_new_session=True,
            )
            try:
                cls._wait_for_start(folder, runner)
            except BaseException:
                processes.stop(runner, signal.SIGTERM, _STOP_SECONDS)
                raise
            if runner.poll() is not None:
                complaint.seek(0)
                said = complaint.read().decode(errors="replace").strip().splitlines()
                raise LocalError(said[-1] if said else f"The stack did not start; see {log.name}.")
        stack = cls(folder)
        stack._runner = runner
        return stack

    _runner: subprocess.Popen[bytes] | None = None

    @staticmethod
    def _wait_for_start(folder: StackFolder, runner: subprocess.Popen[bytes]) -> None:
        def has_started_or_ended() -> bool:
            state = folder.read_state()
            ready = state is not None and state["pid"] == runner.pid and state["state"] == "ready"
            return ready or runner.poll() is not None

        until(
            has_started_or_ended,
            _START_SECONDS,
            or_else=LocalError(f"The stack was not ready within {_START_SECONDS:g} s; see {folder.logs}."),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def state(self) -> dict[str, Any]:
        """What the stack tells of itself. Raises LocalError where it runs no more."""
        state = self._folder.read_state()
        if state is None:
            raise LocalError(f"No stack runs from {self._folder.path} any more.")
        return state

    @property
    def gateway(self) -> str:
        """The URL for clients."""
        return str(self.state["gateway"])

    @property
    def broker(self) -> str:
        """`kafka` or `tansu`."""
        return str(self.state["broker"])

    @property
    def logs(self) -> Path:
        """The folder of one log a process."""
        return self._folder.logs

    @property
    def environment(self) -> dict[str, str]:
        """What every role is told of the servers: DATABASE_URL and so on."""
        return dict(self.state["environment"])

    def processes(self) -> dict[str, dict[str, Any]]:
        """The roles' processes by name: role, port, health (its path), pid (none while it is down), restarts."""
        return dict(self.state["processes"])

    def kill(self, name: str) -> list[int]:
        """SIGKILL a process, or all of a role; the runner starts it again. The pids."""
        pids: list[int] = self._ask("kill", name)
        return pids

    def freeze(self, name: str) -> None:
        """SIGSTOP a process, or all of a role: it does nothing until `thaw`, and others may take it for dead."""
        self._ask("freeze", name)

    def thaw(self, name: str) -> None:
        """SIGCONT what `freeze` froze: it goes on as if no time had passed."""
        self._ask("thaw", name)

    def stop_process(self, name: str) -> None:
        """End a process, or all of a role, and leave it so."""
        self._ask("stop_process", name)

    def start_process(self, name: str) -> None:
        """Start again what `stop_process` ended."""
        self._ask("start_process", name)

    def server(self, name: str, action: str) -> None:
        """`stop`, `kill`, `wipe` (ends it and empties it) or `start` postgres, redis, mongo or kafka (the broker).

        While one is stopped, `save` copies its data aside, and `restore` puts that copy in place of its data.
        """
        self._ask("server", name, action)

    def infrastructure(self) -> None:
        """Empty every store and topic."""
        self._ask("infrastructure")

    def wait_ready(self) -> None:
        """Wait until every process that shall run is ready. Raises LocalError."""
        self._ask("wait_ready")

    def stop(self) -> None:
        """Stop the stack in order and wait until nothing is left of it; by force where it takes too long."""
        state = self._folder.read_state()
        if state is not None:
            with suppress(ProcessLookupError):
                os.kill(state["pid"], signal.SIGTERM)
        self._wait_until_gone(state)
        if self._runner is not None:
            self._runner.wait()

    def _wait_until_gone(self, state: dict[str, Any] | None) -> None:
        def is_gone() -> bool:
            return not self._folder.is_in_use(by_anything=True)

        stuck = LocalError(f"The stack of {self._folder.path} does not end; see {self.logs}.")
        try:
            until(is_gone, _STOP_SECONDS, or_else=stuck)
        except LocalError:
            if state is None:
                raise
            with suppress(ProcessLookupError):  # what it started ends with it
                os.kill(state["pid"], signal.SIGKILL)
            until(is_gone, _STOP_SECONDS, or_else=stuck)

    def _ask(self, action: str, *arguments: str) -> Any:
        control = self.state["control"]
        request = {"token": control["token"], "do": action, "arguments": arguments}
        try:
            with socket.create_connection((HOST, control["port"]), timeout=_ACTION_SECONDS) as connection:
                connection.sendall(json.dumps(request).encode() + b"\n")
                with connection.makefile() as answers:
                    answer = json.loads(answers.readline() or "{}")
        except OSError as error:
            raise LocalError(f"The stack of {self._folder.path} does not answer: {error}.") from None
        if not answer.get("ok"):
            raise LocalError(answer.get("error", "The stack ended before it answered."))
        return answer["value"]
