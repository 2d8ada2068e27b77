"""Whole processes of this service, run as `python -m write_api`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager

import httpx

from cheeper_local.system.ports import free_port
from cheeper_local.testing import eventually


class Process:
    """A process that runs: `url` of its own port."""

    def __init__(self, popen, port):
        self._popen = popen
        self.url = f"http://127.0.0.1:{port}"

    async def kill(self):
        """SIGKILL, and wait until it has ended."""
        self._popen.kill()
        await asyncio.to_thread(self._popen.wait)

    async def is_ready(self):
        assert self._popen.poll() is None, "the process has ended"
        try:
            async with httpx.AsyncClient(base_url=self.url) as client:
                return (await client.get("/health/ready")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


@asynccontextmanager
async def running(role, **environ):
    """A process of a role, ready to work; killed at the end where it still runs."""
    port = free_port()
    env = {**os.environ, "LOG_LEVEL": "error", "LOG_FORMAT": "json", "PORT": str(port), **environ}
    popen = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-m", "write_api", role], env=env)
    process = Process(popen, port)
    try:
        await eventually(process.is_ready)
        yield process
    finally:
        await process.kill()
