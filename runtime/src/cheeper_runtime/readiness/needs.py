"""Readiness: what the process needs, and whether it has it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

import msgspec
import structlog

log = structlog.get_logger()

_Path = tuple[str, ...]


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A need of the process: it is met, or `reason` explains in words for anyone why it is not."""

    ok: bool
    reason: str | None = msgspec.field(default=None, name="why")


class Readiness:
    """The needs of a process by name. A need is not met until it is reported to be; a change is logged, once.

    It may be used from any thread. Where several threads have the same need, each reports it for its own `part()`, and
    the need is met when it is met for all of them.
    """

    def __init__(self, *needs: str) -> None:
        self._lock = Lock()
        self._found: dict[tuple[str, _Path], Need] = {}
        self._path: _Path = ()
        self._label = ""
        self.expect(*needs)

    def part(self, name: str, *, label: str = "") -> Readiness:
        """Return the readiness of a part of the process. Its reasons begin with `label` where there is one."""
        part = Readiness()
        part._lock, part._found = self._lock, self._found
        part._path = (*self._path, name)
        part._label = label or self._label
        return part

    def expect(self, *needs: str) -> None:
        """Begin to need these; they are "starting" until something else is reported."""
        for need in needs:
            self._set(need, Need(ok=False, reason="starting"))

    def ok(self, *needs: str) -> None:
        """Report that these needs are met."""
        for need in needs:
            self._set(need, Need(ok=True))

    def failed(self, need: str, reason: str) -> None:
        """Report that a need is not met. The reason is for anyone: it contains no host name and no secret."""
        self._set(need, Need(ok=False, reason=f"{self._label}: {reason}" if self._label else reason))

    def report(self, need: str, reason: str | None) -> None:
        """Report that a need is met, or that it is not for this reason."""
        if reason is None:
            self.ok(need)
        else:
            self.failed(need, reason)

    @contextmanager
    def failed_while_slow(self, need: str, seconds: float) -> Iterator[None]:
        """Report that a need is not met while a block of a coroutine takes longer than this; the block goes on."""
        slow = asyncio.get_running_loop().call_later(seconds, self.failed, need, "does not answer")
        try:
            yield
        finally:
            slow.cancel()
        self.ok(need)

    def withdraw(self) -> None:
        """Forget all needs of this part, which has ended."""
        with self._lock:
            for need, path in [*self._found]:
                if path[: len(self._path)] == self._path:
                    del self._found[need, path]

    def reason(self, need: str) -> str | None:
        """Return why a need is not met, or None if it is met."""
        return self.needs()[need].reason

    def needs(self) -> dict[str, Need]:
        """Return all needs of this part, each with the first reason against it."""
        merged: dict[str, Need] = {}
        with self._lock:
            for (name, path), need in self._found.items():
                if path[: len(self._path)] == self._path and (name not in merged or merged[name].ok):
                    merged[name] = need
        return merged

    def met(self) -> dict[str, bool]:
        """Return of each need of this part whether it is met."""
        return {name: need.ok for name, need in self.needs().items()}

    def _set(self, name: str, need: Need) -> None:
        with self._lock:
            before = self._found.get((name, self._path))
            self._found[name, self._path] = need
        if before is None or before == need:
            return
        part: dict[str, Any] = {"part": " ".join(self._path)} if self._path else {}
        if need.ok:
            log.info("ready", need=name, **part)
        else:
            log.info("waiting", need=name, reason=need.reason, **part)


def is_ready(needs: Mapping[str, Need]) -> bool:
    """Return whether all needs are met."""
    return all(need.ok for need in needs.values())
