"""The data folder of a stack: its files, its locks, and the state of a running stack."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cheeper_local.errors import LocalError
from cheeper_local.system.ports import free_port, reserve
from cheeper_local.waiting import until

_PATIENCE_SECONDS = 40.0


class StackFolder:
    """A data folder.

    It has two locks: `runner.lock` is the process runner's alone; `stack.lock` is inherited by every process that it
    starts, so it is free only once no process of the stack is left, also after a kill -9 of the runner.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.state_file = path / "stack.json"
        self._ports_file = path / "ports.json"

    def make(self) -> None:
        """Make the folder. Raises LocalError if it cannot be written."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            probe = self.path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise LocalError(f"The data folder {self.path} cannot be written: {error.strerror}.") from None

    @contextmanager
    def held(self) -> Iterator[int]:
        """Lock the folder for a stack, and yield the file descriptor that its processes inherit.

        Raises LocalError if a stack runs from it already.
        """
        with _lock_file(self.path / "runner.lock") as runner, _lock_file(self.path / "stack.lock") as stack:
            if not _locked(runner):
                raise LocalError(f"A stack runs from {self.path} already: `make stop` stops it.")
            until(  # the processes of a runner that was killed are ending
                lambda: _locked(stack),
                _PATIENCE_SECONDS,
                or_else=LocalError(f"Processes of an earlier stack still use {self.path}: end them first."),
            )
            yield stack

    def is_in_use(self, *, by_anything: bool = False) -> bool:
        """Check that a runner holds the folder, or with `by_anything` a process that one left."""
        return any(_is_held(self.path / name) for name in ("runner.lock", *(["stack.lock"] if by_anything else [])))

    def write_state(self, state: dict[str, Any]) -> None:
        """Write the state of the running stack, for the owner alone: it contains passwords."""
        unfinished = self.state_file.with_suffix(".new")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(state, out, indent=1)
        unfinished.replace(self.state_file)

    def read_state(self) -> dict[str, Any] | None:
        """Return the state of the running stack, None if none runs."""
        if not self.is_in_use():
            return None
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text())
        except FileNotFoundError:
            return None
        return state

    def remove_state(self) -> None:
        """Remove the state of a stack that has ended."""
        self.state_file.unlink(missing_ok=True)

    def ports(self, names: list[str]) -> dict[str, int]:
        """Reserve a free port for each name: the port of last time if it is still free."""
        try:
            known: dict[str, int] = json.loads(self._ports_file.read_text())
        except (FileNotFoundError, ValueError):
            known = {}
        chosen: dict[str, int] = {}
        for name in names:
            port = known.get(name)
            taken = set(chosen.values()) | set(known.values())
            chosen[name] = port if port is not None and reserve(port) else free_port(taken)
        self._ports_file.write_text(json.dumps({**known, **chosen}, indent=1))
        return chosen


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    with _lock_file(path) as descriptor:
        return not _locked(descriptor)
