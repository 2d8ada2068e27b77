"""The whole process, run as `python -m read_api http`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import msgspec

from cheeper_local.system.ports import free_port
from cheeper_local.testing import until


@contextmanager
def running(log, **environ):
    """A read-api and a client of it."""
    port = free_port()
    env = {**os.environ, "LOG_FORMAT": "json", "PORT": str(port), **environ}
    with (
        log.open("wb") as out,
        subprocess.Popen([sys.executable, "-m", "read_api", "http"], env=env, stdout=out, stderr=out) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        try:
            until(lambda: responds(client))
            yield client, process
        finally:
            client.close()  # a server that drains serves an open connection on for a while
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def responds(client):
    try:
        return client.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False


def lines(log):
    return [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
