"""The CPU time and the memory of a running stack, by process. Only Linux has both."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from cheeper_bench.environment import cores
from cheeper_local.running import RunningStack

RUNNER: Final = "runner"
"""The name of what starts and watches the processes, which a deployment does not have."""
_KIB_A_MB: Final = 1_000_000 / 1_024


def cpu_seconds(stack: RunningStack) -> dict[str, float]:
    """Return the CPU seconds so far by role and server, and those of the runner itself."""
    state = stack.state
    found: dict[str, float] = {}
    for name, pid in _pids(state):
        found[name] = found.get(name, 0.0) + cores.cpu_seconds(pid)
    found[RUNNER] = cores.cpu_seconds(state["pid"]) - sum(found.values())
    return found


def risen(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Return by how much each has risen, the highest first."""
    rise = {name: max(0.0, value - before.get(name, 0.0)) for name, value in now.items()}
    return dict(sorted(rise.items(), key=lambda each: -each[1]))


def memory_mb(stack: RunningStack) -> dict[str, float]:
    """Return the megabytes by role and server: pages that processes share are divided among them (PSS)."""
    state = stack.state
    found: dict[str, float] = {}
    named: set[int] = set()
    for name, pid in _pids(state):
        processes = cores.tree(pid)
        named.update(processes)
        found[name] = found.get(name, 0.0) + sum(map(_pss_mb, processes))
    found[RUNNER] = sum(_pss_mb(pid) for pid in cores.tree(state["pid"]) if pid not in named)
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def _pids(state: Mapping[str, Mapping[str, Mapping[str, object]]]) -> list[tuple[str, int]]:
    each = [(name, one["pid"]) for name, one in state["servers"].items()]
    each += [(str(one["role"]), one["pid"]) for one in state["processes"].values()]
    return [(name, pid) for name, pid in each if isinstance(pid, int)]


def _pss_mb(pid: int) -> float:
    with suppress(OSError):  # it has just ended
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / _KIB_A_MB
    return 0.0
