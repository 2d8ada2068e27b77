"""The digest of a stack, the same for failures at the same place."""

from __future__ import annotations

import hashlib
import traceback


def stack_digest(error: BaseException) -> str:
    """Return 16 hexadecimal digits for the error's type and the lines that raised it, whatever its text."""
    stack = "".join(traceback.format_tb(error.__traceback__))
    return hashlib.sha256(f"{type(error).__qualname__}\n{stack}".encode()).hexdigest()[:16]
