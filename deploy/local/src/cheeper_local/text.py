"""Numbers in sentences."""

from __future__ import annotations

_STEP = 1000


def counted(number: int, noun: str) -> str:
    """Return such as "1 row" and "1,234 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: float) -> str:
    """Return a number of bytes such as "12 kB" and "3.4 GB"."""
    for unit in ("B", "kB", "MB"):
        if number < _STEP:
            return f"{number:.0f} {unit}"
        number /= _STEP
    return f"{number:.1f} GB"
