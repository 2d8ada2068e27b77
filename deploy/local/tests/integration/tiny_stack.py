"""The process runner over real servers and tiny roles, as a program: `tiny_stack.py NOTES [migrate's exit code]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cheeper_local.errors import LocalError
from cheeper_local.runner.run import run
from cheeper_local.settings import from_env

ROLES = ("gateway", "write-api", "read-api", "worker", "relay", "process-manager", "projector")


def main(notes: str, migrate_code: str = "0") -> None:
    tiny = [sys.executable, str(Path(__file__).with_name("tiny.py"))]
    commands = {role: [*tiny, role, notes] for role in ROLES}
    commands["migrate"] = [sys.executable, "-c", f"print('migrate ran'); raise SystemExit({migrate_code})"]
    try:
        run(from_env({**os.environ, "INSPECTOR": "off"}), commands)
    except LocalError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
