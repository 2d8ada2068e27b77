from __future__ import annotations


class LocalError(Exception):
    """What keeps the local stack from running, told in one sentence for the person at the terminal."""
