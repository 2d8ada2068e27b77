"""Processes that listen on a port, for the duration of a test."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cheeper_local.system.ports import accepts_connections
from cheeper_local.testing import until


@contextmanager
def process(log: Path, port: int, *command: str, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens on a port, until the end of the block."""
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **environ}) as running,
    ):
        try:
            until(lambda: accepts_connections(port))
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            running.send_signal(signal.SIGCONT)  # if it was frozen
            running.wait(60)
