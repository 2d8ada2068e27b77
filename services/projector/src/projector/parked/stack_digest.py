"""The digest of a stack, by which failures at the same place are known as one."""

from __future__ import annotations

import hashlib
import traceback


def stack_digest(error: BaseException) -> str:
    """16 hexadecimal digits: of the error's type and of where it was raised, but not of what it says."""
    stack = "".join(traceback.format_tb(error.__traceback__))
    return hashlib.sha256(f"{type(error).__qualname__}\n{stack}".encode()).hexdigest()[:16]
