"""A disk so small that a test can fill it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_SYS_ADMIN: Final = 21
"""The number of Linux's capability to mount."""
_PIECE: Final = b"\0" * 4096


def may_mount() -> bool:
    """Check that this process has the right to mount, which root has not in most containers."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # no Linux
        return False
    held = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return held is not None and bool(int(held[1], 16) >> _SYS_ADMIN & 1)


class SmallDisk:
    """A file system in memory of a few megabytes, at a `folder` that every user may enter."""

    def __init__(self, megabytes: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cheeper-disk-"))
        options = f"size={megabytes}m,mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", self.folder], check=True)  # noqa: S607 - root's own PATH finds it

    @contextmanager
    def full(self) -> Iterator[None]:
        """Fill it to the last byte while a block lasts."""
        filler = self.folder / "filler"
        try:
            with filler.open("wb", buffering=0) as out, suppress(OSError):
                while out.write(_PIECE):
                    pass
            yield
        finally:
            filler.unlink()

    def remove(self) -> None:
        """Unmount it and delete its content. No process may have a file open on it."""
        subprocess.run(["umount", self.folder], check=True)  # noqa: S607 - root's own PATH finds it
        shutil.rmtree(self.folder)
