"""What a process waits for, as its readiness and its log tell it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

Check = Callable[[], Coroutine[Any, Any, str | None]]
"""Asks for one need: why it is not met, in words without host names, or none where it is."""

log = structlog.get_logger()


class Needs:
    """The needs of a role, each met or not and why not. A change is logged, once."""

    def __init__(self, *names: str) -> None:
        self._whys: dict[str, str | None] = dict.fromkeys(names, "starting")

    def met(self, *names: str) -> None:
        """Say that these needs are met."""
        for name in names:
            why, self._whys[name] = self._whys[name], None
            if why is not None:
                log.info("ready", need=name)

    def unmet(self, name: str, why: str) -> None:
        """Say that a need is not met, and why, without host names or secrets."""
        if self._whys[name] != why:
            self._whys[name] = why
            log.warning("waiting", waiting_for=name, why=why)

    @contextmanager
    def unmet_while_slow(self, name: str, seconds: float) -> Iterator[None]:
        """Say that a need is not met once a block takes so long, until it ends: the block goes on waiting."""
        slow = asyncio.get_running_loop().call_later(seconds, self.unmet, name, "does not answer")
        try:
            yield
        finally:
            slow.cancel()
        self.met(name)

    def why(self, name: str) -> str | None:
        """Why a need is not met, none where it is."""
        return self._whys[name]

    def checks(self) -> dict[str, Check]:
        """The needs in the form in which the health page asks for them."""
        return {name: self._check(name) for name in self._whys}

    def _check(self, name: str) -> Check:
        async def check() -> str | None:
            return self.why(name)

        return check
