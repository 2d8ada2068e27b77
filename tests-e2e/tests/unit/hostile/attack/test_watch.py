"""The watch over processes, this one in the place of each."""

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from cheeper_e2e.hostile.attack.watch import Watch, Watched, tree_bytes
from cheeper_local.waiting import eventually, until


class FakeStack:
    """A stack of one process and one server."""

    def __init__(self, port):
        self.process = {"pid": os.getpid(), "restarts": 0, "port": port, "health": "/health/ready", "role": "worker"}
        self.state = {"servers": {"redis": {"pid": os.getpid()}, "kafka": {"pid": None}}}

    def processes(self):
        return {"worker": dict(self.process)}


@asynccontextmanager
async def stack(status):
    """A stack whose health page has a status; `requested` is set once it was read."""
    requested = asyncio.Event()

    async def respond(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        writer.close()
        requested.set()

    listening = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with listening:
        yield FakeStack(listening.sockets[0].getsockname()[1]), requested


async def test_processes_that_stay_as_they_are_give_no_cause():
    """Memory is noted before and after, for servers that run."""
    async with stack(200) as (running, requested), Watch(running) as watch:
        await requested.wait()
    assert (watch.found.not_ready, watch.found.restarted) == ([], [])
    assert watch.found.most["worker"] >= watch.found.before["worker"] > 0
    assert set(watch.found.servers_before) == set(watch.found.servers_after) == {"redis"}


async def test_a_health_page_that_is_not_ready_is_noted():
    """With its status, and so is one that does not respond."""
    async with stack(503) as (running, _), Watch(running) as watch:
        await eventually(lambda: watch.found.not_ready)
    assert watch.found.not_ready[0].startswith("worker: 503")
    async with Watch(running) as watch:  # nothing listens any more
        await eventually(lambda: watch.found.not_ready)
    assert "ConnectError" in watch.found.not_ready[0]


async def test_a_restart_is_noted():
    """A process that was restarted has another id or another count."""
    async with stack(200) as (running, requested), Watch(running) as watch:
        await requested.wait()
        running.process["restarts"] += 1
    assert watch.found.restarted == ["worker was restarted"]


async def test_a_watch_that_fails_is_no_watch():
    """An error of the watch is raised, since nothing was seen after it."""
    async with stack(200) as (running, requested):
        running.process["health"] = None
        running.process["port"] = "no port"
        with pytest.raises(Exception, match="port"):
            async with Watch(running) as watch:
                await asyncio.wait({watch._task})
    assert not requested.is_set()


def test_the_memory_of_a_process_and_its_children():
    """Children count, and a process that has ended has none."""
    assert tree_bytes(os.getpid()) > 0
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'b = bytearray(50_000_000); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        until(lambda: tree_bytes(process.pid) > 50_000_000)
        process.communicate(b"\n")
    assert tree_bytes(process.pid) == 0


def test_the_process_that_grew_most_is_named():
    """By bytes, with its factor."""
    watched = Watched(before={"a": 100, "b": 1000}, most={"a": 200, "b": 1150})
    assert watched.growth() == ("b", 150, 1.15)
