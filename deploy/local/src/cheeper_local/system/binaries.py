"""The lookup of a server's program: on the PATH, else in a wheel of requirements.lock."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from cheeper_local.errors import LocalError

WHEELS_ONLY = "wheels"


class Binary(NamedTuple):
    """A program, its source in words, and its major version."""

    path: Path
    source: str
    version: int

    @property
    def origin(self) -> str:
        """A description such as `/usr/bin/mongod, version 8 from the PATH`."""
        return f"{self.path}, version {self.version} from {self.source}"


def on_path(*names: str) -> Path | None:
    """Return the first of the names that the PATH has. Return None if SERVERS_FROM=wheels excludes the PATH."""
    if os.environ.get("SERVERS_FROM") == WHEELS_ONLY:
        return None
    return next((Path(found) for found in map(shutil.which, names) if found), None)


def package_folder(module: str) -> Path | None:
    """Return the folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def in_wheel(module: str, pattern: str) -> Path | None:
    """Return the first file of an installed package that matches the pattern."""
    folder = package_folder(module)
    return next(iter(sorted(folder.glob(pattern))), None) if folder else None


def version_of(path: Path) -> int:
    """Return the major version that a program prints. Raises LocalError if it does not run here."""
    try:
        result = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        text = getattr(error, "stderr", None) or str(error)
        raise LocalError(f"{path} does not run on this machine: {text.strip().splitlines()[-1]}") from None
    found = re.search(r"(\d+)\.\d+", result.stdout + result.stderr)
    if found is None:
        raise LocalError(f"{path} does not print its version: {result.stdout.strip()!r}.")
    return int(found.group(1))


def locate(product: str, path: Path | None, wheel: tuple[Path | None, str], *, at_least: int) -> Binary:
    """Return the program on the PATH if it is recent enough, else the wheel's (a file and the wheel's name).

    Raises LocalError if there is neither.
    """
    if path is not None and (version := version_of(path)) >= at_least:
        return Binary(path, "the PATH", version)
    file, name = wheel
    if file is None:
        raise LocalError(
            f"{product} is missing: no version {at_least} or later on the PATH, and the wheel {name} is not installed."
        )
    if not os.access(file, os.X_OK):
        file.chmod(0o755)  # some installers drop the bit
    return Binary(file, f"the wheel {name}", version_of(file))
