"""The circumstances of a run: the machine, the programs, the commit."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from cheeper_local.errors import LocalError
from cheeper_local.servers import Kafka, Mongo, Postgres, Redis, Server
from cheeper_local.settings import CLONE

_GIB: Final = 1024**3


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The description of a machine, for beside the figures."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    servers: tuple[str, ...]


def describe() -> Machine:
    """Return the machine that this runs on, and the servers that the local stack takes on it."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(pages / _GIB, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        servers=tuple(_servers()),
    )


def commit() -> tuple[str, bool]:
    """Return the commit that is checked out, and whether anything beside docs and results differs from it."""
    git = shutil.which("git")
    if git is None or not (CLONE / ".git").exists():
        return "unknown", False
    head = _output(git, "rev-parse", "--short=12", "HEAD")
    changed = _output(git, "status", "--porcelain", "--", ":!docs", ":!bench/results")
    return head, bool(changed)


def _output(git: str, *arguments: str) -> str:
    return subprocess.run([git, "-C", CLONE, *arguments], capture_output=True, text=True, check=False).stdout.strip()


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _servers() -> list[str]:
    found = []
    for kind in (Postgres, Redis, Mongo, Kafka):
        server: Server = kind(Path("/nonexistent"))
        with suppress(LocalError, OSError):
            # The path on this machine is of no interest.
            found.append(_without_paths(f"{kind.name}: {server.origin}"))
    return found


def _without_paths(text: str) -> str:
    return " ".join(word.rpartition("/")[2] if word.startswith("/") else word for word in text.split(" "))
