"""The CPU time and memory of processes, as this machine has them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from cheeper_bench.environment import usage

BUSY = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint(flush=True)\ninput()"


class Stack:
    """A stack whose runner is this process."""

    def __init__(self, worker):
        self.state = {
            "pid": os.getpid(),
            "servers": {"redis": {"pid": None}},
            "processes": {"worker-1": {"role": "worker", "pid": worker}},
        }


@pytest.fixture
def worker():
    """A process that has taken 0.3 s of CPU, and waits."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


def test_each_role_has_its_own_processor_time(worker):
    """The worker's time is not the runner's as well; a server that does not run is left out."""
    before = usage.cpu_seconds(Stack(worker))
    assert before.keys() == {"worker", usage.RUNNER}
    assert 0.25 <= before["worker"] < before["worker"] + before[usage.RUNNER]
    ends = time.process_time() + 0.2
    while time.process_time() < ends:
        pass
    risen = usage.risen(before, usage.cpu_seconds(Stack(worker)))
    assert next(iter(risen)) == usage.RUNNER  # the highest first
    assert risen[usage.RUNNER] >= 0.1
    assert risen["worker"] <= 0.05


def test_memory_is_that_of_each_process_once(worker):
    """A process of Python has some megabytes, and a role's are not the runner's as well."""
    memory = usage.memory_mb(Stack(worker))
    assert memory.keys() == {"worker", usage.RUNNER}
    assert memory["worker"] >= 1
    alone = usage.memory_mb(Stack(None))
    assert alone[usage.RUNNER] > memory[usage.RUNNER]  # now the worker is nobody else's
