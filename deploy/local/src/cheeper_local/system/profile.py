"""A flame graph of a running process, by py-spy, which samples it from outside: the process goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from cheeper_local.errors import LocalError

_PY_SPY: Final = Path(sys.executable).with_name("py-spy")
_STARTS_SECONDS: Final = 60


def flame_graph(pid: int, seconds: int, file: Path) -> None:
    """Write where a process of Python spends its time, for so many seconds, as SVG. Raises LocalError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    options = {"--pid": pid, "--duration": seconds, "--output": file}
    command = [str(_PY_SPY), "record", "--threads", *(str(word) for option in options.items() for word in option)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + _STARTS_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError(f"py-spy could not sample process {pid}: {error}.") from None
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LocalError(f"py-spy could not sample process {pid}, which may take root or ptrace_scope=0: {reason}")
