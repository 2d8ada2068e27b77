"""The memory of processes."""

import os
import subprocess
import sys

from cheeper_e2e.attack.watch import Watched, tree_bytes
from cheeper_local.waiting import until


def test_the_memory_of_a_process_and_its_children():
    """Children count, and a process that is gone has none."""
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
