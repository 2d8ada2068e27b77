"""The base of the faults of all servers."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol

PASSWORD: Final = "of-the-test"  # noqa: S105 - a server that ends with its test
Fault = Callable[[], AbstractContextManager[None]]


class Faulty(Protocol):
    """A server whose process and data folder can be reached."""

    @property
    def url(self) -> str:
        """The URL for clients."""

    @property
    def pid(self) -> int | None:
        """The id of its process, None while it is stopped."""

    @property
    def data(self) -> Path:
        """The folder of its data."""


@contextmanager
def frozen(server: Faulty) -> Iterator[None]:
    """Suspend the server: it accepts connections, and responds to nothing."""
    assert server.pid is not None  # noqa: S101 - it was started
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:  # also if the test fails, for the tests after it
        os.kill(server.pid, signal.SIGCONT)
