"""Runs the actions: one at a time, each with an entry in the trail before it begins, also if its caller has gone."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog

from cheeper_audit.stores import StoreUnavailableError
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import AbandonedError, AsyncRetryLoop
from inspector.operations.entries import Entry, KeyTakenError, NewEntry, Trail, Turn
from inspector.operations.requests import FAILED, STOPPED, Request
from inspector.operations.tools import RunTool

REVEAL: Final = "reveal"
_LINES: Final = 100
"""The last lines of an action's output are shown and kept."""
_CHARACTERS: Final = 500

log = structlog.get_logger()


class Running(msgspec.Struct):
    """The action that runs, with its last lines so far."""

    entry: Entry
    lines: deque[str] = msgspec.field(default_factory=lambda: deque(maxlen=_LINES))
    task: asyncio.Task[None] | None = None


class Operations:
    """The actions of operators, over the trail and the tools. Every method raises StoreUnavailableError."""

    def __init__(self, trail: Trail, run: RunTool) -> None:
        self._trail = trail
        self._run_tool = run
        self._running: Running | None = None
        self._stop = asyncio.Event()
        self._ending = AsyncRetryLoop(Readiness(), "trail", StoreUnavailableError)

    async def start(self, request: Request, caller: str | None, key: str) -> Entry:
        """Begin an action, and return its entry; return the one that there is if the same caller has requested the same
        with this key before. Raise KeyTakenError if anything else has the key, and BusyError while another action runs.
        """
        entry = NewEntry(
            action_id=key, caller=caller, action=request.name, parameters=request.parameters, reason=request.reason
        )
        if (known := await self._trail.one(key)) is not None:
            return self._repeated(entry, known)
        turn = await self._trail.turn()
        try:
            begun = await self._trail.begin(entry)
        except BaseException:
            await turn.release()
            raise
        running = Running(begun)
        self._running = running
        running.task = asyncio.create_task(self._run(request, running, turn))
        return begun

    async def reveal(self, reason: str, caller: str | None, key: str) -> None:
        """Add that the content of failed messages is shown to the caller. Raise KeyTakenError."""
        await self._trail.begin(
            NewEntry(action_id=key, caller=caller, action=REVEAL, parameters={}, reason=reason),
        )
        await self._trail.end(key, "succeeded", ())

    async def one(self, action_id: str) -> Entry | None:
        """Return an action, with its lines so far if it runs in this process."""
        found = await self._trail.one(action_id)
        return None if found is None else self._with_lines(found)

    async def before(self, number: int | None, most: int) -> tuple[Entry, ...]:
        """Return so many actions at most, the newest first, of those before that number if there is one."""
        return tuple(self._with_lines(each) for each in await self._trail.before(number, most))

    async def close(self) -> None:
        """Stop the action that runs, and wait until its outcome is in the trail or that cannot be reached."""
        running = self._running
        if running is not None and running.task is not None:
            self._stop.set()
            running.task.cancel()
            with suppress(asyncio.CancelledError):
                await running.task

    def _repeated(self, entry: NewEntry, known: Entry) -> Entry:
        before = {name: getattr(known, name) for name in NewEntry.__struct_fields__}
        if NewEntry(**before) != entry:
            raise KeyTakenError
        return self._with_lines(known)

    def _with_lines(self, entry: Entry) -> Entry:
        running = self._running
        if running is None or running.entry.action_id != entry.action_id or entry.outcome is not None:
            return entry
        return msgspec.structs.replace(entry, lines=tuple(running.lines))

    async def _run(self, request: Request, running: Running, turn: Turn) -> None:
        def on_line(line: str) -> None:
            running.lines.append(request.shown(line)[:_CHARACTERS])

        outcome = STOPPED
        try:
            async with asyncio.timeout(request.SECONDS):
                outcome = request.outcome(await self._run_tool(request.command_line, on_line))
        except TimeoutError:
            on_line(f"It was stopped after {request.SECONDS:,} s.")
        except Exception:
            log.exception("defect")
            outcome = FAILED
        finally:
            await self._end(running, outcome, turn)

    async def _end(self, running: Running, outcome: str, turn: Turn) -> None:
        entry = running.entry
        try:
            await self._add_outcome(entry.action_id, outcome, tuple(running.lines))
        except AbandonedError:
            log.warning("the trail lacks an outcome", action_id=entry.action_id, outcome=outcome)
        finally:
            self._running = None
            await turn.release()
        log.info("operator's action ended", action_id=entry.action_id, action=entry.action, outcome=outcome)

    async def _add_outcome(self, action_id: str, outcome: str, lines: tuple[str, ...]) -> None:
        async def add() -> Any:
            await self._trail.end(action_id, outcome, lines)

        await self._ending.run(add, self._stop)
