"""Attempts to read servers, each of which may be unavailable alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cheeper_audit.stores import StoreUnavailableError

T = TypeVar("T")
D = TypeVar("D")


class Attempts:
    """Reads servers by name. `unavailable` has the sentence of each one that failed, which is not read again."""

    def __init__(self) -> None:
        self.unavailable: dict[str, str] = {}

    def read(self, server: str, read: Callable[[], T], default: D) -> T | D:
        """Return what `read` returns, or the default if the server is unavailable."""
        if server in self.unavailable:
            return default
        try:
            return read()
        except StoreUnavailableError as error:
            self.unavailable[server] = str(error)
            return default

    def has(self, server: str) -> bool:
        """Return whether the server has responded so far."""
        return server not in self.unavailable
