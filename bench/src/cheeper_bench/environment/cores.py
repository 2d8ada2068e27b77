"""The cores that processes run on, and the CPU time that they take there. Only Linux has both."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from cheeper_bench.errors import BenchError

Cpus = frozenset[int]

_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Cores(NamedTuple):
    """`measured` is the one core of the process that is measured; `others` are for clients and servers."""

    measured: Cpus
    others: Cpus

    @property
    def all(self) -> Cpus:
        """The cores for what is measured as a whole."""
        return self.measured | self.others


def split() -> Cores:
    """Return the cores that this process may use. Raise BenchError if they are unknown or only one."""
    if sys.platform != "linux":
        raise BenchError("The benchmarks give each process a core of its own, which only Linux can do.")
    first, *rest = sorted(os.sched_getaffinity(0))
    if not rest:
        raise BenchError("The benchmarks need two cores, one of them for what is measured.")
    return Cores(frozenset({first}), frozenset(rest))


@contextmanager
def on(cpus: Cpus) -> Iterator[None]:
    """Run this thread, and the processes that it starts, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pin(pid: int, cpus: Cpus) -> None:
    """Put a process, its threads and its descendants on these cores; what they start later goes there as well."""
    for each in tree(pid):
        with suppress(OSError):  # it has just ended
            for task in (_PROC / str(each) / "task").iterdir():
                with suppress(OSError):
                    os.sched_setaffinity(int(task.name), cpus)


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, ended ones too."""
    total = 0
    for each in tree(pid):
        with suppress(OSError):
            fields = (_PROC / str(each) / "stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])  # utime, stime and those of reaped children
    return total / _TICKS


def tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found, at = [pid], 0
    while at < len(found):
        with suppress(OSError):
            for task in (_PROC / str(found[at]) / "task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        at += 1
    return found
