from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cheeper_local.running import RunningStack
from cheeper_local.stack_folder import StackFolder
from cheeper_local.system.ports import free_port
from cheeper_local.waiting import until


class TinyStack:
    """A stack of tiny roles over real servers, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.notes = folder / "notes"
        self.notes.touch()
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start its process."""
        variables = {"PORT": str(self.port), "DATA": str(self.data), "BROKER": "tansu", **environment}
        script = Path(__file__).with_name("tiny_stack.py")
        self.process = subprocess.Popen(
            [sys.executable, script, self.notes, *arguments],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def ready(self) -> RunningStack:
        """Wait until the stack is ready, and return it."""

        def is_up() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.process.communicate()
            state = StackFolder(self.data).read_state()
            return state is not None and state["state"] == "ready"

        until(is_up, 300)
        return RunningStack.of(self.data)

    def end(self, number: signal.Signals) -> tuple[str, str]:
        """Send a signal and wait for the end. Return stdout and stderr."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)

    def pids(self) -> list[int]:
        """Return the ids of all its processes."""
        state = RunningStack.of(self.data).state
        return [each["pid"] for each in (*state["servers"].values(), *state["processes"].values())]

    def has_ended(self) -> bool:
        """Check that none of its processes is left."""
        return not StackFolder(self.data).is_in_use(by_anything=True)

    def close(self) -> None:
        """End it, if it runs."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.communicate()
            until(self.has_ended)


@pytest.fixture
def tiny_stack(folder: Path) -> Iterator[TinyStack]:
    """A stack of tiny roles of the test's own, not yet started."""
    stack = TinyStack(folder)
    yield stack
    stack.close()


@pytest.fixture(scope="module")
def running_stack() -> Iterator[TinyStack]:
    """A stack of tiny roles that the tests of a module share: each leaves it as it was, with all that runs ready."""
    with tempfile.TemporaryDirectory(prefix="cheeper-test-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as an unprivileged user where the tests run as root
        stack = TinyStack(Path(folder))
        stack.start()
        stack.ready()
        yield stack
        stack.close()


@pytest.fixture
def occupied_port() -> Iterator[int]:
    """A port with a listener."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]
