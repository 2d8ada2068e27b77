"""Imported at the start of each process of a stack whose PYTHONPATH names this folder: makes some leak memory.

While the file in LEAK exists, a process with the role in it keeps a large part of its memory.
"""

import os
import sys
import threading
import time
from pathlib import Path

_BYTES = 450 * 1024 * 1024
_POLL_SECONDS = 0.5


def _leak(file: Path) -> None:
    kept = b""
    while True:
        wanted = file.is_file() and file.read_text() in sys.orig_argv
        if wanted != bool(kept):
            kept = b"x" * _BYTES if wanted else b""
        time.sleep(_POLL_SECONDS)


if "LEAK" in os.environ:
    threading.Thread(target=_leak, args=(Path(os.environ["LEAK"]),), daemon=True).start()
