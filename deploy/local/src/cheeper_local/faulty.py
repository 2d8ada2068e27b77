"""What servers have in common on which faults are brought about: `faulty_redis`, `faulty_mongo` and others, each fault
for as long as a block lasts.
"""

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
        """How clients reach it."""

    @property
    def pid(self) -> int | None:
        """Of its process."""

    @property
    def data(self) -> Path:
        """Where its data is."""


@contextmanager
def frozen(server: Faulty) -> Iterator[None]:
    """It takes connections, and answers nothing."""
    assert server.pid is not None  # noqa: S101 - it was started
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:  # a test that fails must not leave it so to those after it
        os.kill(server.pid, signal.SIGCONT)
