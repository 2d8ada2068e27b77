"""The client of a running stack, for `make stop`, `make status`, the demo and the end-to-end suite."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cheeper_local.errors import LocalError
from cheeper_local.runner.run import log_of_background
from cheeper_local.stack_folder import StackFolder
from cheeper_local.system import processes
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.waiting import until

_START_SECONDS = 300.0
_STOP_SECONDS = 90.0
_ACTION_SECONDS = 180.0


class RunningStack:
    """A stack that runs in another process.

    `with RunningStack.start(folder) as stack:` starts one on a free port and stops it at the end;
    `RunningStack.of(folder)` is the one that runs from a folder already.
    """

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder

    @classmethod
    def of(cls, data: Path) -> Self:
        """Return the stack that runs from a data folder. Raises LocalError if none does."""
        folder = StackFolder(data)
        if folder.read_state() is None:
            raise LocalError(f"No stack runs from {data}: `make up` or `make start` starts one.")
        return cls(folder)

    @classmethod
    def start(cls, data: Path, *, step: bool = False, environment: Mapping[str, str] | None = None) -> Self:
        """Start a stack that ends with this process at the latest, and wait until it is ready. Raises LocalError.

        `environment` adds to this process's (BROKER, READ_API_REPLICAS, FANOUT_INLINE_MAX …). Without INSPECTOR=on in
        it, the stack has no inspector.
        """
        fixed = {"PORT": str(free_port()), "STEP": "1" if step else "", "DATA": str(data), "INSPECTOR": "off"}
        return cls._start(data, {**fixed, **(environment or {})}, leashed=True)

    @classmethod
    @contextmanager
    def temporary(cls, *, step: bool = False, environment: Mapping[str, str] | None = None) -> Iterator[Self]:
        """Start a stack in a temporary folder, as `start` does, and remove both at the end. Raise LocalError."""
        with tempfile.TemporaryDirectory(prefix="cheeper-") as folder:
            Path(folder).chmod(0o755)  # PostgreSQL runs as another user where this runs as root
            with cls.start(Path(folder), step=step, environment=environment) as stack:
                yield stack

    @classmethod
    def start_in_background(cls, data: Path) -> Self:
        """Start a stack that outlives this process, and wait until it is ready. Raises LocalError."""
        return cls._start(data, {"DATA": str(data)}, leashed=False)

    @classmethod
    def _start(cls, data: Path, environment: Mapping[str, str], *, leashed: bool) -> Self:
        folder = StackFolder(data)
        folder.make()
        command = [sys.executable, "-m", "cheeper_local", "up", "--quiet"]
        with log_of_background(data).open("wb") as log, tempfile.TemporaryFile() as errors:
            runner = subprocess.Popen(
                processes.leashed(command, on_parent_death=signal.SIGTERM) if leashed else command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=errors,
                env={**os.environ, **environment},
                start_new_session=True,
            )
            try:
                cls._wait_for_start(folder, runner)
            except BaseException:
                processes.stop(runner, signal.SIGTERM, _STOP_SECONDS)
                raise
            if runner.poll() is not None:
                errors.seek(0)
                lines = errors.read().decode(errors="replace").strip().splitlines()
                raise LocalError(lines[-1] if lines else f"The stack did not start; see {log.name}.")
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
        """The content of the state file. Raises LocalError if the stack does not run any more."""
        state = self._folder.read_state()
        if state is None:
            raise LocalError(f"The stack of {self._folder.path} does not run any more.")
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
        """The folder of the logs, one per process."""
        return self._folder.logs

    @property
    def environment(self) -> dict[str, str]:
        """The variables that every role reads about the servers: DATABASE_URL and so on."""
        return dict(self.state["environment"])

    def processes(self) -> dict[str, dict[str, Any]]:
        """Return the processes by name: role, port, health (a path), pid (None while it does not run), restarts."""
        return dict(self.state["processes"])

    def kill(self, name: str) -> list[int]:
        """SIGKILL a process, or all of a role; the runner restarts it. Return the pids."""
        pids: list[int] = self._request("kill", name)
        return pids

    def freeze(self, name: str) -> None:
        """SIGSTOP a process, or all of a role: it does nothing until `thaw`."""
        self._request("freeze", name)

    def thaw(self, name: str) -> None:
        """SIGCONT a process, or all of a role: it resumes as if no time had passed."""
        self._request("thaw", name)

    def stop_process(self, name: str) -> None:
        """End a process, or all of a role, and leave it stopped."""
        self._request("stop_process", name)

    def start_process(self, name: str) -> None:
        """Start a process, or all of a role, that `stop_process` ended."""
        self._request("start_process", name)

    def server(self, name: str, action: str) -> None:
        """Apply `stop`, `kill`, `wipe` (end and empty) or `start` to postgres, redis, mongo or kafka (the broker).

        While one is stopped, `save` copies its data aside, and `restore` replaces its data by that copy.
        """
        self._request("server", name, action)

    def empty(self) -> None:
        """Empty every store and topic."""
        self._request("empty")

    def wait_ready(self) -> None:
        """Wait until every process that is not stopped is ready. Raises LocalError."""
        self._request("wait_ready")

    def stop(self) -> None:
        """Stop the stack in order, by force if it takes too long, and wait until none of its processes is left."""
        state = self._folder.read_state()
        if state is not None:
            with suppress(ProcessLookupError):
                os.kill(state["pid"], signal.SIGTERM)
        self._wait_until_ended(state)
        if self._runner is not None:
            self._runner.wait()

    def _wait_until_ended(self, state: dict[str, Any] | None) -> None:
        def has_ended() -> bool:
            return not self._folder.is_in_use(by_anything=True)

        stuck = LocalError(f"The stack of {self._folder.path} did not end; see {self.logs}.")
        try:
            until(has_ended, _STOP_SECONDS, or_else=stuck)
        except LocalError:
            if state is None:
                raise
            with suppress(ProcessLookupError):  # its processes end with it
                os.kill(state["pid"], signal.SIGKILL)
            until(has_ended, _STOP_SECONDS, or_else=stuck)

    def _request(self, action: str, *arguments: str) -> Any:
        control = self.state["control"]
        request = {"token": control["token"], "do": action, "arguments": arguments}
        try:
            with socket.create_connection((HOST, control["port"]), timeout=_ACTION_SECONDS) as connection:
                connection.sendall(json.dumps(request).encode() + b"\n")
                with connection.makefile() as lines:
                    response = json.loads(lines.readline() or "{}")
        except OSError as error:
            raise LocalError(f"The stack of {self._folder.path} does not respond: {error}.") from None
        if not response.get("ok"):
            raise LocalError(response.get("error", "The stack ended before it responded."))
        return response["value"]
