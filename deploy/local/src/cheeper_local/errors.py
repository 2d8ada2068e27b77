from __future__ import annotations


class LocalError(Exception):
    """The local stack cannot run, or a command cannot be done. The text is one sentence for the terminal."""
