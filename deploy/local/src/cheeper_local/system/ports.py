"""TCP ports of 127.0.0.1, chosen so that no two processes of this repository choose the same.

Between the choice of a port and the server's bind, and while a server is stopped, nothing listens on its port. So a
process reserves each port that it chooses: it locks the byte of that number in a file that all processes of this user
share. The system releases the locks when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
import threading
from pathlib import Path
from typing import Final

from cheeper_local.errors import LocalError

HOST = "127.0.0.1"
# Below the range from which the system takes the ports of outgoing connections, so that none of those gets in between
# this choice and the server's bind.
_RANGE = range(20_000, 32_000)
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Check that a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Reservations:
    """The ports that this process reserved in a file, one locked byte each."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ports: set[int] = set()
        self._one_at_a_time = threading.Lock()
        # It stays open: a process that closes any descriptor of a file loses all its locks of that file.
        self._descriptor: int | None = None

    def reserve(self, port: int) -> bool:
        """Reserve a free port until this process ends. Return False if it is not free or reserved by another."""
        with self._one_at_a_time:
            if port not in self._ports and not self._lock(port):
                return False
            self._ports.add(port)
        return is_free(port)

    def has(self, port: int) -> bool:
        """Check that this process reserved the port."""
        return port in self._ports

    def _lock(self, port: int) -> bool:
        if self._descriptor is None:
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):
            return False
        return True


_OURS: Final = Reservations(Path(tempfile.gettempdir()) / f"cheeper-ports-{os.getuid()}")


def reserve(port: int) -> bool:
    """Reserve a port until this process ends. Return False if it is not free or another process reserved it."""
    return _OURS.reserve(port)


def free_port(taken: set[int] | frozenset[int] = frozenset()) -> int:
    """Reserve a port that is free now and not in `taken`, never one that this process chose before, and return it.
    Raise LocalError if none is found.
    """
    for _ in range(_ATTEMPTS):
        port = random.choice(_RANGE)  # noqa: S311 - no secret
        if port not in taken and not _OURS.has(port) and _OURS.reserve(port):
            return port
    raise LocalError(f"No free port was found on {HOST} between {_RANGE.start} and {_RANGE.stop}.")


def accepts_connections(port: int) -> bool:
    """Check that a process listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
